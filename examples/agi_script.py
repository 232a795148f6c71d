#!/usr/bin/env python3
"""
Ask the caller for a number, in a program that Asterisk starts for each call.

    same => n,AGI(/usr/local/bin/agi_script.py,vm-password)
"""

from txasterisk import AGISession, HungUp, agi


async def ask(call: AGISession) -> None:
    (prompt,) = call.environment.arguments or ("vm-password",)
    await call.answer()
    try:
        entered = await call.get_data(prompt, timeout=5, max_digits=4)
    except HungUp:
        print("the caller did not wait")
        raise
    await call.set_variable("WANTED", entered.digits)


if __name__ == "__main__":
    agi.run(ask)

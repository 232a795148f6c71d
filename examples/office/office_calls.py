"""The calls that txasterisk.toml beside this file names."""

from txasterisk import AGISession, Call


async def greet(call: AGISession) -> None:
    await call.answer()
    entered = await call.get_data("vm-password", timeout=5, max_digits=4)
    await call.set_variable("WANTED", entered.digits)


async def hello(call: Call) -> None:
    await call.answer()
    await call.play("sound:hello-world")
    digit = await call.gather(prompt="sound:vm-password", max_digits=1, timeout=5)
    if digit == "1":
        await call.continue_in_dialplan()
    else:
        await call.hangup()

"""Some of the sounds that come with Asterisk in English, and how many seconds each takes."""

from __future__ import annotations

from typing import Final

__all__ = ["SOUNDS"]

# fmt: off
#: What numbers, times and dates are made of.
_NUMBERS: Final = {
    "digits/0": 0.88, "digits/1": 0.92, "digits/2": 0.76, "digits/3": 0.84, "digits/4": 0.82,
    "digits/5": 0.84, "digits/6": 0.9, "digits/7": 0.84, "digits/8": 0.7, "digits/9": 0.86,
    "digits/10": 0.66, "digits/11": 0.98, "digits/12": 0.82, "digits/13": 0.94,
    "digits/14": 1.06, "digits/15": 1.16, "digits/16": 1.2, "digits/17": 1.22, "digits/18": 1.1,
    "digits/19": 1.24, "digits/20": 0.94, "digits/30": 0.92, "digits/40": 0.96,
    "digits/50": 1.24, "digits/60": 1.04, "digits/70": 1.04, "digits/80": 0.84,
    "digits/90": 1.04, "digits/hundred": 0.86, "digits/thousand": 0.9, "digits/million": 0.86,
    "digits/billion": 1.02, "digits/minus": 0.9, "digits/oh": 0.6, "digits/oclock": 0.88,
    "digits/a-m": 1.04, "digits/p-m": 0.88, "digits/at": 0.7, "digits/pound": 0.76,
    "digits/star": 0.82,
}
_DATES: Final = {
    "digits/day-0": 1.04, "digits/day-1": 0.92, "digits/day-2": 0.92, "digits/day-3": 1.04,
    "digits/day-4": 0.92, "digits/day-5": 0.96, "digits/day-6": 0.96,
    "digits/mon-0": 1.02, "digits/mon-1": 1.02, "digits/mon-2": 0.84, "digits/mon-3": 0.78,
    "digits/mon-4": 0.7, "digits/mon-5": 0.82, "digits/mon-6": 0.84, "digits/mon-7": 0.78,
    "digits/mon-8": 1.02, "digits/mon-9": 1, "digits/mon-10": 1, "digits/mon-11": 1.04,
    "digits/h-1": 0.74, "digits/h-2": 0.86, "digits/h-3": 0.68, "digits/h-4": 0.8,
    "digits/h-5": 0.72, "digits/h-6": 0.76, "digits/h-7": 0.88, "digits/h-8": 0.66,
    "digits/h-9": 0.82, "digits/h-10": 0.64, "digits/h-11": 0.8, "digits/h-12": 0.7,
    "digits/h-13": 1.04, "digits/h-14": 0.98, "digits/h-15": 1, "digits/h-16": 1.02,
    "digits/h-17": 1.06, "digits/h-18": 1.04, "digits/h-19": 1.14, "digits/h-20": 0.92,
    "digits/h-30": 0.8,
}
#: What texts are spelled with.
_LETTERS: Final = {
    "letters/a": 0.62, "letters/b": 0.76, "letters/c": 0.88, "letters/d": 0.72,
    "letters/e": 0.68, "letters/f": 0.6, "letters/g": 0.7, "letters/h": 0.66, "letters/i": 0.68,
    "letters/j": 0.76, "letters/k": 0.72, "letters/l": 0.6, "letters/m": 0.62, "letters/n": 0.62,
    "letters/o": 0.66, "letters/p": 0.66, "letters/q": 0.76, "letters/r": 0.74,
    "letters/s": 0.62, "letters/t": 0.68, "letters/u": 0.8, "letters/v": 0.78, "letters/w": 0.92,
    "letters/x": 0.66, "letters/y": 0.76, "letters/z": 0.82, "letters/at": 0.62,
    "letters/dash": 0.78, "letters/dollar": 0.86, "letters/dot": 0.76, "letters/equals": 0.88,
    "letters/exclaimation-point": 1.54, "letters/plus": 0.72, "letters/slash": 0.88,
    "letters/space": 0.82, "letters/ascii34": 0.76, "letters/ascii37": 0.86,
    "letters/ascii38": 1.04, "letters/ascii39": 0.68, "letters/ascii40": 1.42,
    "letters/ascii41": 1.58, "letters/ascii44": 0.7, "letters/ascii58": 0.9,
    "letters/ascii59": 1.28, "letters/ascii60": 1.08, "letters/ascii62": 1.24,
    "letters/ascii63": 1.08, "letters/ascii91": 1.24, "letters/ascii92": 1.24,
    "letters/ascii93": 1.26, "letters/ascii94": 0.78, "letters/ascii95": 1.02,
    "letters/ascii96": 1.08, "letters/ascii123": 1.22, "letters/ascii124": 0.72,
    "letters/ascii125": 1.16, "letters/ascii126": 0.78,
    "phonetic/a_p": 0.92, "phonetic/b_p": 0.88, "phonetic/c_p": 0.86, "phonetic/d_p": 0.92,
    "phonetic/e_p": 0.78, "phonetic/f_p": 0.98, "phonetic/g_p": 0.74, "phonetic/h_p": 0.88,
    "phonetic/i_p": 0.76, "phonetic/j_p": 0.94, "phonetic/k_p": 0.86, "phonetic/l_p": 0.8,
    "phonetic/m_p": 0.72, "phonetic/n_p": 1.02, "phonetic/o_p": 0.84, "phonetic/p_p": 0.78,
    "phonetic/q_p": 0.82, "phonetic/r_p": 0.92, "phonetic/s_p": 0.94, "phonetic/t_p": 0.9,
    "phonetic/u_p": 1.08, "phonetic/v_p": 0.96, "phonetic/w_p": 0.98, "phonetic/x_p": 1,
    "phonetic/y_p": 0.98, "phonetic/z_p": 0.92, "phonetic/9_p": 0.9,
    "lowercase": 1.16, "uppercase": 1.18,
}
# fmt: on

SOUNDS: Final = {
    **_NUMBERS,
    **_DATES,
    **_LETTERS,
    "agent-pass": 3.3,
    "auth-incorrect": 4.62,
    "auth-thankyou": 0.96,
    "beep": 0.44,
    "beeperr": 0.36,
    "conf-getpin": 2.4,
    "conf-hasjoin": 1.78,
    "conf-hasleft": 1.78,
    "conf-kicked": 2.38,
    "conf-onlyperson": 3.16,
    "demo-abouttotry": 15.18,
    "demo-congrats": 30.28,
    "demo-echodone": 2.68,
    "demo-echotest": 22.0,
    "demo-instruct": 73.36,
    "demo-nogo": 10.52,
    "demo-thanks": 5.52,
    "goodbye": 0.94,
    "hello": 0.8,
    "hello-world": 1.42,
    "invalid": 4.12,
    "one-moment-please": 1.6,
    "pbx-invalid": 4.44,
    "pbx-transfer": 0.96,
    "please-try-again": 1.26,
    "privacy-thankyou": 0.96,
    "queue-thankyou": 1.6,
    "queue-youarenext": 5.38,
    "tt-monkeys": 16.18,
    "tt-somethingwrong": 2.58,
    "tt-weasels": 2.96,
    "vm-goodbye": 0.88,
    "vm-incorrect": 1.46,
    "vm-password": 1.1,
}

"""Refuses weak passwords. Frappe asks zxcvbn; a short list and the length do here."""

import frappe

TOP_10 = ("123456", "password", "12345678", "qwerty", "123456789", "12345", "1234", "111111", "1234567", "dragon")
TOP_100 = ("123123", "abc123", "admin", "letmein", "monkey", "iloveyou", "welcome", "login", "princess", "sunshine", "secret")
SHORTEST = 6


def check(password):
    """Throws what Frappe says to a password that its policy does not take."""
    lower = password.lower()
    if lower in TOP_10:
        weakness = "This is a top-10 common password."
    elif lower in TOP_100:
        weakness = "This is a top-100 common password."
    elif len(set(lower)) <= 2:
        weakness = 'Repeats like "aaa" are easy to guess.'
    elif len(password) < SHORTEST:
        weakness = "This is similar to a commonly used password."
    else:
        return
    frappe.throw(f"{weakness} Hint: Add another word or two. Uncommon words are better.", title="Invalid Password")

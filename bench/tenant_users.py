"""Users of a site as we want them: saved, and then read back, since a save may make something else of them."""

# What gives a user the roles of a Role Profile, in place of its own, at each save: a link in Frappe 15, a table of them in 16.
PROFILES = ("role_profile_name", "role_profiles")


class NotKept(Exception):
    """A user was saved, and is not what it was saved as."""


def roles_of(user):
    return {row.role for row in user.get("roles") or []}


def profiles_of(user):
    return [field for field in PROFILES if user.meta.has_field(field) and user.get(field)]


def drop_profiles(user):
    for field in profiles_of(user):
        user.set(field, [] if isinstance(user.get(field), list) else None)


def save(user, made=False):
    user.flags.no_welcome_mail = True
    (user.insert if made else user.save)(ignore_permissions=True)


def require(frappe, email, roles, only=False):
    """From what was written, not from what we have in hand; `only` these roles, and no Role Profile."""
    user = frappe.get_doc("User", email)
    found, wanted = roles_of(user), set(roles)
    said = [f"roles lacks {role}" for role in sorted(wanted - found)]
    said += [f"roles has {role}" for role in sorted(found - wanted) if only]
    said += [f"{field} is set" for field in profiles_of(user) if only]
    said += [] if user.enabled else ["enabled is 0"]
    if said:
        raise NotKept(
            f"The site made something else of the User {email} when it was saved: {', '.join(said)}. Look there for a Role Profile of that user, "
            "a disabled Role, or a hook or Server Script on User; it is tried again."
        )

"""What installing the app leaves in a site: nothing."""


def make_tables():
    return


def after_install():
    return

"""The database of a site, and how it is made and dropped."""


def get_db(db_name=None):
    import frappe
    from frappe.database.mariadb import MariaDBDatabase

    conf = frappe.local.conf
    return MariaDBDatabase(
        host=conf.db_host,
        port=conf.db_port,
        user=db_name or conf.db_user or conf.db_name,
        password=conf.db_password,
        name=db_name or conf.db_name,
        socket=conf.db_socket,
    )

"""The framework's own DocTypes, as far as the stand-in has them."""

from frappe import standin
from frappe.model.standard import doctype

EVERYONE = ("All", "System Manager")

DOCTYPES = [
    doctype(
        "DocType",
        "Core",
        """
        module Link/Module_Def
        custom Check
        istable Check
        issingle Check
        autoname Data
        naming_rule Data
        title_field Data
        search_fields Data
        track_changes Check
        editable_grid Check
        quick_entry Check
        is_submittable Check
        allow_rename Check
        sort_field Data
        sort_order Data
        description Small_Text
        fields Table/DocField
        permissions Table/DocPerm
        """,
    ),
    doctype(
        "DocField",
        "Core",
        """
        fieldname Data
        label Data
        fieldtype Data reqd default=Data
        options Small_Text
        reqd Check
        unique Check
        read_only Check
        hidden Check
        in_list_view Check
        in_standard_filter Check
        set_only_once Check
        no_copy Check
        default Small_Text
        description Small_Text
        length Int
        """,
        istable=1,
    ),
    doctype(
        "DocPerm",
        "Core",
        """
        role Link/Role reqd
        permlevel Int
        read Check
        write Check
        create Check
        delete Check
        report Check
        export Check
        share Check
        print Check
        email Check
        """,
        istable=1,
    ),
    doctype("Module Def", "Core", "module_name Data reqd unique\napp_name Data", autoname="field:module_name"),
    doctype("Role", "Core", "role_name Data reqd unique\ndisabled Check\ndesk_access Check", autoname="field:role_name"),
    doctype("Has Role", "Core", "role Link/Role reqd", istable=1),
    doctype(
        "User",
        "Core",
        """
        enabled Check default=1
        email Data/Email reqd
        first_name Data reqd
        middle_name Data
        last_name Data
        full_name Data
        username Data unique
        language Link/Language
        time_zone Data
        user_type Data default=System_User
        send_welcome_email Check default=1
        mobile_no Data/Phone
        new_password Password
        api_key Data unique label=API_Key
        api_secret Password label=API_Secret
        last_login Datetime
        last_ip Data
        roles Table/Has_Role
        role_profile_name Link/Role_Profile
        """
        + ("role_profiles Table/User_Role_Profile" if standin.is_16() else ""),
    ),
    doctype("Role Profile", "Core", "role_profile Data reqd unique\nroles Table/Has_Role", autoname="field:role_profile"),
    doctype("User Role Profile", "Core", "role_profile Link/Role_Profile reqd", istable=1),
    doctype("Error Log", "Core", "method Data\nerror Code\nseen Check"),
    doctype(
        "File",
        "Core",
        """
        file_name Data
        is_private Check
        file_url Code
        file_size Int
        folder Data default=Home
        is_folder Check
        attached_to_doctype Data
        attached_to_name Data
        attached_to_field Data
        content_hash Data
        """,
        readers=EVERYONE,
        writers=EVERYONE,
    ),
    doctype(
        "Installed Application",
        "Core",
        """
        app_name Data reqd
        app_version Data
        git_branch Data
        has_setup_wizard Check
        is_setup_complete Check
        """,
        istable=1,
    ),
    doctype("Installed Applications", "Core", "installed_applications Table/Installed_Application", issingle=1),
    doctype(
        "System Settings",
        "Core",
        """
        country Link/Country
        language Link/Language
        time_zone Data
        currency Link/Currency
        date_format Data
        time_format Data
        number_format Data
        first_day_of_the_week Data
        setup_complete Check
        enable_scheduler Check
        disable_user_pass_login Check
        login_with_email_link Check
        enable_password_policy Check
        minimum_password_score Data
        allow_login_using_user_name Check
        session_expiry Data
        app_name Data
        """,
        issingle=1,
    ),
    doctype("Website Settings", "Website", "home_page Data\ndisable_signup Check\napp_name Data", issingle=1),
    doctype(
        "Social Login Key",
        "Integrations",
        """
        enable_social_login Check
        provider_name Data reqd
        client_id Data
        client_secret Password
        base_url Data
        """,
        autoname="field:provider_name",
    ),
    doctype(
        "Country",
        "Geo",
        "country_name Data reqd unique\ncode Data\ntime_zones Text\ndate_format Data",
        readers=EVERYONE,
        autoname="field:country_name",
    ),
    doctype(
        "Currency",
        "Geo",
        "currency_name Data reqd unique\nenabled Check\nsymbol Data\nnumber_format Data",
        readers=EVERYONE,
        autoname="field:currency_name",
    ),
    doctype(
        "Language",
        "Core",
        "language_code Data reqd\nlanguage_name Data reqd\nenabled Check",
        readers=EVERYONE,
        autoname="field:language_code",
    ),
    doctype(
        "Email Account",
        "Email",
        "email_id Data/Email reqd\npassword Password\nsmtp_server Data\nenable_outgoing Check",
        autoname="field:email_id",
    ),
    doctype("ToDo", "Desk", "description Text_Editor reqd\nstatus Select/Open|Closed|Cancelled default=Open", EVERYONE, EVERYONE),
    doctype("Note", "Desk", "title Data reqd\npublic Check\ncontent Text_Editor", EVERYONE, EVERYONE, autoname="field:title"),
]

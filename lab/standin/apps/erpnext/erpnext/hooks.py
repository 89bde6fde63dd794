app_name = "erpnext"
app_title = "ERPNext (stand-in)"
setup_wizard_stage = "erpnext.setup_wizard.set_up"

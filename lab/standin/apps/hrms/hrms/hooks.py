app_name = "hrms"
app_title = "Frappe HR (stand-in)"
required_apps = ["erpnext"]

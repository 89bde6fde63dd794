app_name = "tenant_oauth_auth"
app_title = "Tenant OAuth (stand-in)"
auth_hooks = ["tenant_oauth_auth.auth.validate"]

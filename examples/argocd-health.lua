-- How Argo CD tells whether a Tenant is healthy. Put it into the ConfigMap argocd-cm, as the value of the key
--   resource.customizations.health.tenancy.nexuserp.io_Tenant
-- for instance with
--   kubectl patch configmap argocd-cm --namespace argocd --patch "$(jq --null-input --rawfile lua argocd-health.lua \
--     '{data: {"resource.customizations.health.tenancy.nexuserp.io_Tenant": $lua}}')"

local function condition(type)
  for _, each in ipairs(obj.status and obj.status.conditions or {}) do
    if each.type == type then return each end
  end
  return { status = "Unknown", message = "The operator has not looked at it yet" }
end

local function is(type) return condition(type).status == "True" end

local function health(status, type)
  return { status = status, message = condition(type).message }
end

if obj.metadata.deletionTimestamp then
  return health("Progressing", "Ready")
end
if not obj.status or obj.status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = "The operator has not looked at this generation yet" }
end
if is("Stalled") then
  return health("Degraded", "Stalled")
end
if is("Ready") then
  return health("Healthy", "Ready")
end
-- It was Ready before and nobody is at work on it: it is broken, not on its way.
if obj.status.firstReadyAt and not is("Reconciling") then
  return health("Degraded", "Ready")
end
return health("Progressing", "Ready")

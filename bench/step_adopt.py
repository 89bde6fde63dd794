"""adopt: a site that somebody else made carries our marker, and the operator knows its database.

The marker is all that changes, in one move, under the tenant's lock and the lock of the site's config; and an encryption key, where the
site has none. The site keeps its encryption key, its database and its password: none of them ever leaves the bench.
"""

import tenant_adopt
import tenant_key
from tenant_failure import Failure
from tenant_site import MARKER, merge, STATE


def run(run):
    name = tenant_adopt.examine(run)["db_name"]
    if run.site.is_own():
        tenant_key.ensure(run)
        return {"adopted": False, "database": name}
    run.pulse()
    with run.site.changing() as config:
        # Read anew under the lock: somebody else may have been faster.
        tenant_adopt.refuse_marked(run.site, config)
        if config.get("db_name") != name:
            raise Failure("ForeignDatabase", f"{run.site.name} was given another database meanwhile, so it was not touched.")
        config[MARKER] = run.site.marker
        # What the customer chose long ago is not asked of the spec; a wizard that was never finished still runs.
        merge(config, STATE, {"organization": "Adopted"})
        tenant_key.put(config)
    tenant_key.settle(run)
    return {"adopted": True, "database": name}

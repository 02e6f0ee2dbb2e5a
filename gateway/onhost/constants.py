"""Paths, numbers and names that Python and the scripts on a host share, each written here alone.

Python imports them. The scripts get those of FOR_SCRIPTS as shell variables (gateway.onhost.scripts.text). Templates
that systemd and dpkg read as they are have the paths in full; a test compares them with these.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# The folders of root's own programs, which sudo's secure_path may lack.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Debian's nginx: its program, the folder of its main file, its unit, and the user of its workers. Scripts get others
# where the host's nginx is another (gateway/nginx/layout.py).
NGINX = "/usr/sbin/nginx"
NGINX_HOME = "/etc/nginx"
NGINX_UNIT = "nginx.service"
NGINX_USER = "www-data"

# Debian's trust store as one file.
TRUST_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"

# Where everything of the gateway lives that nginx reads; `current` in it points to the release in force.
HOME = f"{NGINX_HOME}/wecom-gateway"

# Where files of the host's own nginx are kept whose place a release has taken, each under its whole path.
ASIDE = f"{HOME}/aside"

# The links by which nginx's own configuration can include a release. Only one of them is there at a time: the first one
# that nginx reads behind every foreign server that is a default only because nginx reads it first.
ENTRIES = (
    f"{NGINX_HOME}/conf.d/wecom-gateway.conf",
    f"{NGINX_HOME}/conf.d/zzz-wecom-gateway.conf",
    f"{NGINX_HOME}/sites-enabled/zzz-wecom-gateway.conf",
)

# What includes a release where nginx.conf includes none of their folders: a line of its own, the last one in http.
MAIN_FILE = f"{NGINX_HOME}/nginx.conf"
# A pattern, which may match nothing: nginx has to start where somebody has removed the release.
MAIN_LINE = f"include {HOME}/current/gateway.con[f]; # wecom-gateway"

# The link that Debian's nginx.conf includes at its top, outside of http.
MAIN_ENTRY = f"{NGINX_HOME}/modules-enabled/90-wecom-gateway.conf"

# The same on an RPM system, whose nginx.conf includes that folder at its top; behind the package's files, which load
# modules.
RPM_MAIN_ENTRY = "/usr/share/nginx/modules/zzz-wecom-gateway.conf"

# Packages that a gateway may need, by their names on each kind of system: the stream module for egress, certbot for
# automatic certificates, mtail and curl for metrics. Those of RPM systems name some programs, and a module of perl's,
# differently: they go by paths and by what they provide.
STREAM_MODULES = ("libnginx-mod-stream", "nginx-mod-stream")
METRICS_PACKAGES = ("mtail", "curl")
APT_PACKAGES = ("nginx", "ca-certificates", "logrotate", STREAM_MODULES[0], "certbot", *METRICS_PACKAGES)
RPM_PACKAGES = (
    *("nginx", "ca-certificates", "/usr/sbin/logrotate", STREAM_MODULES[1], "certbot"),
    *("/usr/bin/perl", "perl(Fcntl)", "/usr/bin/openssl", "/usr/bin/tar"),
)

# The link by which dpkg reads what to run before and after it works on packages.
DPKG_ENTRY = "/etc/dpkg/dpkg.cfg.d/wecom-gateway"

# What belongs to certificates from ACME servers (scripts/acme.sh says what is in it), and the folder that nginx answers
# an ACME server's check from.
ACME = f"{HOME}/acme"
VARIABLE_HOME = "/var/lib/wecom-gateway"
ACME_WEBROOT = f"{VARIABLE_HOME}/acme"

# The logs of a release: of its sites' requests, of what went wrong with them, and of egress.
LOG_FOLDER = "/var/log/nginx"
ACCESS_LOG = f"{LOG_FOLDER}/wecom-gateway.access.log"
ERROR_LOG = f"{LOG_FOLDER}/wecom-gateway.error.log"
EGRESS_LOG = f"{LOG_FOLDER}/wecom-gateway.egress.log"
# What nginx says of itself.
MAIN_ERROR_LOG = f"{LOG_FOLDER}/error.log"

# One short line for each request, from which mtail counts; no name that logrotate knows: scripts/metrics.sh keeps it
# small. The folder and the file that this script writes what Prometheus reads to.
REQUESTS_LOG = f"{LOG_FOLDER}/wecom-gateway.requests"
METRICS = f"{VARIABLE_HOME}/metrics"
METRICS_TEXT = f"{METRICS}/wecom-gateway.prom"
# Where it works meanwhile, in memory.
METRICS_WORK = "/run/wecom-gateway-metrics"

# mtail's program, where it answers, and the unit that it runs in; the package's own unit is another. The unit of
# scripts/metrics.sh.
MTAIL = "/usr/bin/mtail"
MTAIL_SOCKET = "/run/wecom-gateway-mtail/mtail.sock"
MTAIL_UNIT = "wecom-gateway-mtail.service"
METRICS_UNIT = "wecom-gateway-metrics.service"

# Where the running nginx tells, beside its release, how busy it is; and how who asks for metrics' sake calls itself:
# its requests stand in no log and are counted nowhere.
STATUS_PATH = "/connections"
METRICS_AGENT = "wecom-gateway/metrics"

# Where logrotate is told of the logs of a release on a host where nothing else tells it.
ROTATION = "/etc/logrotate.d/wecom-gateway"

# Where nginx says what went wrong with a request, to the unit that writes ERROR_LOG.
ERROR_SOCKET = "/run/wecom-gateway/errors.sock"
ERROR_UNIT = "wecom-gateway-errors.service"

# Stands for the release's id in the files of a release until the id is known.
ID_PLACEHOLDER = "@RELEASE@"

# The unit that renews certificates whenever certbot's timer fires.
RENEWAL_UNIT = "wecom-gateway-renew.service"

# The loopback port on which the running nginx tells its release; no site may ask for it.
RELEASE_PORT = 19001

# A certificate with fewer days left is warned of.
WARN_DAYS = 21

# By the name of the shell variable.
FOR_SCRIPTS: Mapping[str, str | int | tuple[str, ...]] = MappingProxyType(
    {
        "root_path": PATH,
        "nginx_program": NGINX,
        "nginx_options": (),
        "nginx_home": NGINX_HOME,
        "nginx_unit": NGINX_UNIT,
        "nginx_user": NGINX_USER,
        "trust_bundle": TRUST_BUNDLE,
        "home": HOME,
        "aside": ASIDE,
        "entries": ENTRIES,
        "main_file": MAIN_FILE,
        "main_line": MAIN_LINE,
        "main_entry": MAIN_ENTRY,
        "rpm_main_entry": RPM_MAIN_ENTRY,
        "apt_packages": APT_PACKAGES,
        "rpm_packages": RPM_PACKAGES,
        "dpkg_entry": DPKG_ENTRY,
        "acme": ACME,
        "variable_home": VARIABLE_HOME,
        "webroot": ACME_WEBROOT,
        "log_folder": LOG_FOLDER,
        "access_log": ACCESS_LOG,
        "requests_error_log": ERROR_LOG,
        "egress_log": EGRESS_LOG,
        "error_log": MAIN_ERROR_LOG,
        "requests_log": REQUESTS_LOG,
        "metrics_folder": METRICS,
        "metrics_text": METRICS_TEXT,
        "metrics_work": METRICS_WORK,
        "metrics_agent": METRICS_AGENT,
        "mtail_program": MTAIL,
        "mtail_unit": MTAIL_UNIT,
        "metrics_unit": METRICS_UNIT,
        "status_path": STATUS_PATH,
        "logrotate_entry": ROTATION,
        "error_unit": ERROR_UNIT,
        "renewal_unit": RENEWAL_UNIT,
        "release_port": RELEASE_PORT,
        "placeholder": ID_PLACEHOLDER,
        "warn_days": WARN_DAYS,
    }
)

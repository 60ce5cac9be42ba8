# Sourced by run and test: installs what is missing and says so. Nothing here is done twice.
# Debian 12/13, Ubuntu 24.04 and their kin; QGIS comes from the distribution or its backports.

say() { printf '· %s\n' "$*" >&2; }
die() { printf '✗ %s\n' "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else die "“$*” needs root: run this once as root or install sudo."
    fi
}

apt_updated=
apt_install() {  # [-t SUITE] PACKAGE…
    say "installing with apt: $*"
    if [ -z "$apt_updated" ]; then
        # A list that is out of date makes every download fail, and a foreign source that is down must not stop us.
        as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q >&2 || say "some package sources did not answer; going on with the others"
        apt_updated=1
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@" >&2 \
        || die "apt could not install: $*. Check the package sources and run this again."
}

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null)" = "ii " ]; }

missing_of() { local p; for p in "$@"; do is_installed "$p" || printf '%s ' "$p"; done; }

# Adds the backports suite beside the distribution's own, from whatever mirror this machine uses.
ensure_backports() {
    local codename uri key
    codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
    [ "$codename" = bookworm ] || return 0
    if ! grep -rqs -- '-backports' /etc/apt/sources.list /etc/apt/sources.list.d/; then
        uri=$(awk -v s="$codename" '
            /^URIs:/ {u=$2} /^Suites:/ && index($0, s) && u != "" && first == "" {first=u}
            /^deb / {for (i=2; i<=NF; i++) if ($i ~ /:\/\// && $(i+1) == s && first == "") first=$i}
            END {print first}' $(ls /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null))
        [ -n "$uri" ] || die "found no Debian mirror in /etc/apt to take $codename-backports from; add it and run this again."
        say "adding $codename-backports from this machine's own mirror (QGIS 3.40 LTR is there)"
        key=/usr/share/keyrings/debian-archive-keyring.gpg
        printf 'Types: deb\nURIs: %s\nSuites: %s-backports\nComponents: main\n%s\n' \
            "$uri" "$codename" "$([ -e $key ] && echo "Signed-By: $key")" \
            | as_root tee /etc/apt/sources.list.d/"$codename"-backports.sources >/dev/null
        apt_updated=
    fi
    backports="-t $codename-backports"
}

DESKTOP_PACKAGES="python3-venv libsqlite3-mod-spatialite libegl1 libgl1 libxkbcommon0 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4
    libxcb-keysyms1 libxcb-shape0 libdbus-1-3 libfontconfig1 fonts-noto-cjk fonts-wqy-microhei libpango-1.0-0 libpangoft2-1.0-0
    libharfbuzz-subset0 ca-certificates"
TEST_PACKAGES="xvfb poppler-utils postgresql-15-postgis-3 mosquitto"

ensure_system() {  # PACKAGE… beside those the desktop needs
    if ! command -v apt-get >/dev/null; then
        say "no apt here: install QGIS 3.40+, mod_spatialite and Noto Sans CJK yourself if something below is missing"
        return 0
    fi
    local missing backports=
    if ! is_installed python3-qgis || ! is_installed qgis-providers; then
        ensure_backports
        # shellcheck disable=SC2086
        apt_install $backports python3-qgis qgis-providers
    fi
    # shellcheck disable=SC2086
    missing=$(missing_of $DESKTOP_PACKAGES "$@")
    # shellcheck disable=SC2086
    [ -z "$missing" ] || apt_install $missing
}

ensure_venv() {  # EXTRA… of pyproject.toml
    local extras stamp want
    extras=$(IFS=,; echo "$*")
    stamp=.venv/.installed-$extras
    want=$( (cat pyproject.toml; echo "$extras"; /usr/bin/python3 --version) | sha256sum | cut -d' ' -f1)
    if [ ! -x .venv/bin/python ]; then
        say "making .venv with /usr/bin/python3"
        /usr/bin/python3 -m venv .venv || die "could not make .venv"
    fi
    if [ "$(cat "$stamp" 2>/dev/null)" != "$want" ]; then
        say "installing the Python packages of pyproject.toml [$extras] (a minute or two the first time)"
        .venv/bin/python -m pip install -q --disable-pip-version-check -e ".[$extras]" >&2 || die "pip could not install the packages; see above"
        echo "$want" > "$stamp"
    fi
    .venv/bin/python -m planner_app.i18n >&2
    if [ ! -e .venv/.kernels ] || [ -n "$(find planner_app/compute -name '*.py' -newer .venv/.kernels -print -quit)" ]; then
        say "compiling the geometry kernels (once)"
        .venv/bin/python -m planner_app.compute.warm >&2 || die "the geometry kernels could not be compiled; see above"
        touch .venv/.kernels
    fi
}

#!/bin/sh
# Brings the few system libraries that Python packages cannot: `render` (offscreen OpenGL and fonts for pictures),
# `test` (independent tools that the tests compare with). Installs through apt-get where that is possible, else says
# in one line what to install; never fails, because tests that lack a tool are skipped visibly.
packages=""

# need PACKAGE TEST...: remember PACKAGE when TEST fails.
need() {
    package=$1
    shift
    "$@" >/dev/null 2>&1 || packages="$packages $package"
}

has_library() {
    if command -v ldconfig >/dev/null 2>&1; then ldconfig -p | grep -q "$1"; else [ "$(uname)" = Darwin ]; fi
}

for wish in "$@"; do
    case $wish in
    render)
        need libegl1 has_library libEGL.so.1
        need libgl1 has_library libGL.so.1
        need libxkbcommon0 has_library libxkbcommon.so.0
        need libdbus-1-3 has_library libdbus-1.so.3
        need libfontconfig1 has_library libfontconfig.so.1
        need libglib2.0-0 has_library libglib-2.0.so.0
        need libgl1-mesa-dri test -n "$(find /usr/lib /usr/local/lib -name 'swrast_dri.so' -o -name 'libgallium*' 2>/dev/null | head -n 1)"
        ;;
    test)
        need ismrmrd-tools command -v ismrmrd_generate_cartesian_shepp_logan
        need bart command -v bart
        need dicom3tools command -v dciodvfy
        need dcmtk command -v dcmdump
        need ffmpeg command -v ffprobe
        ;;
    esac
done
[ -n "$packages" ] || exit 0

if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null && exit 0
elif command -v apt-get >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    sudo apt-get update -qq && sudo DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null && exit 0
fi
echo "Please install these system packages (names as in Debian), or parts will be skipped:$packages" >&2
exit 0

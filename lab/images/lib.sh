# shellcheck shell=bash
# Makes image archives from recipes. A recipe is lab/images/NAME.sh:
#
#   tools=(coredns)            binaries of lab/build that go into it (optional)
#   inputs=("$lab/standin")    files and folders it is made from (optional)
#   recipe() { ...; pack ...; }  runs in an empty folder of its own, which is thrown away, and ends with `pack`
#
# The archive is $cache/images/NAME-KEY.tar and holds the image docker.io/lab/NAME:KEY; KEY changes with the recipe,
# its tools and its inputs. Manifests say `image: docker.io/lab/NAME:built`; `lab up` puts the key there.
# Sourced after lab/lib.sh, never run.
# shellcheck disable=SC2154,SC2016,SC2164  # cache and lab are lab/lib.sh's; apt and mmdebstrap expand what is quoted; errexit is on

# rootfs_with [--bare] [--run COMMAND]... PACKAGE...: prints the path of a root file system (tar) with Debian's packages,
# kept in the cache. COMMAND runs in it, by its shell, once the packages are there. --bare: files of the packages and what
# they depend on, nothing of Debian's base, no maintainer script run (no users, no ca-certificates bundle, maybe no shell).
rootfs_with() {
  local variant=(--variant=minbase) hook=customize runs=() packages=() out
  while [ $# -gt 0 ]; do
    case $1 in
      --bare) variant=(--variant=extract --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr) hook=extract ;;   # the last hook there is then
      --run) runs+=("chroot \"\$1\" sh -euc '${2//\'/\'\\\'\'}'"); shift ;;
      *) packages+=("$1") ;;
    esac
    shift
  done
  runs+=('rm -rf "$1"/etc/apt/sources.list* "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/etc/resolv.conf "$1"/etc/hostname')
  out=$cache/rootfs/debian-$(key_of "$(declare -f rootfs_with debian)" "${variant[@]}" "${runs[@]}" "${packages[@]}").tar
  if [ ! -e "$out" ]; then
    timed "made a root file system of: ${packages[*]}" debian "$out.part" "$(IFS=,; echo "${packages[*]}")" "${variant[@]}" "${runs[@]/#/--$hook-hook=}"
    mv "$out.part" "$out"
  fi
  touch "$out"
  echo "$out"
}

# debian OUT PACKAGES OPTION...: from the archives, and through the proxies, that this host's own apt uses.
debian() {
  local out=$1 packages=$2 work; shift 2
  work=$(mktemp -d)
  apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' | sort -u >"$work/sources.list"
  apt-config dump Acquire | grep -E '^Acquire::(https?|Check-[A-Za-z-]*)(::| )' >"$work/apt.conf" || true
  SOURCE_DATE_EPOCH=0 mmdebstrap --quiet --mode=root --format=tar --aptopt="$work/apt.conf" --include="$packages" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' "$@" \
    '' "$out" "$work/sources.list"
  rm -rf "$work"
}

# layer_of_dir DIR OUT.tar [UID:GID]: the folder as a layer; the same content gives the same bytes.
layer_of_dir() {
  local owner=${3:-0:0}
  tar -C "$1" --sort=name --mtime=@0 --numeric-owner --owner="${owner%:*}" --group="${owner#*:}" --exclude=__pycache__ -cf "$2" .
}

# pack LAYER.tar... [--user UID] [--workdir DIR] [--env K=V]... -- CMD...: writes the archive of the recipe that runs.
pack() { "$lab/image" "docker.io/lab/$image" "$archive.part" "$@"; }

# archive_of NAME: the path of the recipe's archive, built or not.
archive_of() (
  tools=() inputs=()
  # shellcheck source=/dev/null
  . "$lab/images/$1.sh"
  local made_with=("$(declare -f layer_of_dir)") name
  ! grep -q rootfs_with "$lab/images/$1.sh" || made_with+=("$(declare -f rootfs_with debian)")
  for name in "${tools[@]}"; do made_with+=("$(basename "$(tool "$name")")"); done
  echo "$cache/images/$1-$(key_of "$lab/images/$1.sh" "$lab/image" "${made_with[@]}" "${inputs[@]}").tar"
)

build_image() (
  local archive key image
  archive=$(archive_of "$1") key=$(basename "${archive%.tar}")
  image=$1:${key##*-}
  [ ! -e "$archive" ] || { touch "$archive"; exit 0; }
  tools=() inputs=()
  # shellcheck source=/dev/null
  . "$lab/images/$1.sh"
  work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
  cd "$work"
  timed "packed the image $1" recipe
  mv "$archive.part" "$archive"
  prune "$cache/images/$1" "$archive"
)

# image_name NAME: what manifests call it.
image_name() { local stem; stem=$(basename "$(archive_of "$1")" .tar); echo "docker.io/lab/$1:${stem##*-}"; }

recipes() { local file; for file in "$lab"/images/*.sh; do file=$(basename "$file" .sh); [ "$file" = lib ] || echo "$file"; done; }

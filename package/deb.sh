#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Packs the package for Debian and Ubuntu: deb.sh PACKAGE OUTDIR
#
# The add-on for arm64, if PACKAGE has it, becomes a package of its own, dkvm-arm64.
#
# dpkg's files are in /opt/dkvm/package, /usr and /etc; the maintainer scripts in package/debian do the rest. DEB_LEVEL: zstd's, 10.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=dkvm-addon.sh
. "$(dirname "$0")/dkvm-addon.sh"

here=$(cd "$(dirname "$0")" && pwd)
need_root "packing (the files belong to root)"
umask 022
package=$1
out=$2
version=$(cat "$package/VERSION")
tree=$out/deb-tree
rm -rf "$tree"
# shellcheck disable=SC2064 # the value of now
trap "rm -rf '$tree'" EXIT

mkdir -p "$tree/DEBIAN" "$tree/opt/dkvm" "$tree/usr/bin" "$tree/usr/share/doc/dkvm" "$tree/etc/dkvm"
cp -al "$package" "$tree/opt/dkvm/package"
for file in $addon_files; do rm -rf "$tree/opt/dkvm/package/${file:?}"; done
ln -s /opt/dkvm/bin/dkvm "$tree/usr/bin/dkvm"

# Debian's places for what other installations have in /usr/local/share.
share=$package/share
mkdir -p "$tree/usr/share/man"
cp -r "$share"/man/* "$tree/usr/share/man/"
gzip -9nr "$tree/usr/share/man"
install -D -m 644 "$share/bash-completion/completions/dkvm" "$tree/usr/share/bash-completion/completions/dkvm"
install -D -m 644 "$share/zsh/site-functions/_dkvm" "$tree/usr/share/zsh/vendor-completions/_dkvm"
install -D -m 644 "$share/fish/vendor_completions.d/dkvm.fish" "$tree/usr/share/fish/vendor_completions.d/dkvm.fish"
{
    printf 'DKVM %s. What others made is listed below the licence.\n\n' "$version"
    cat "$package/LICENSE" "$package/NOTICE"
} >"$tree/usr/share/doc/dkvm/copyright"
gzip -9n <"$here/../CHANGELOG.md" >"$tree/usr/share/doc/dkvm/changelog.gz"
printf '{\n}\n' >"$tree/etc/dkvm/dkvm.json"
echo /etc/dkvm/dkvm.json >"$tree/DEBIAN/conffiles"

install -m 755 "$here/debian/postinst" "$here/debian/prerm" "$here/debian/postrm" "$tree/DEBIAN/"

# pack NAME CONTROL: the tree as a package.
pack() {
    local deb=$out/$1_${version}_amd64.deb
    (cd "$tree" && find opt usr -type f -print0 | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
    sed "s/@VERSION@/$version/g; s/@SIZE@/$(du -ks --exclude=DEBIAN "$tree" | cut -f1)/" "$2" >"$tree/DEBIAN/control"
    # The AOT caches know the jars by their times: none may be changed.
    env -u SOURCE_DATE_EPOCH dpkg-deb --root-owner-group -Zzstd "-z${DEB_LEVEL:-10}" --build "$tree" "$deb.new" >/dev/null
    mv "$deb.new" "$deb"
    say "    $deb: $(du -m "$deb" | cut -f1) MiB"
}
pack dkvm "$here/debian/control"

# Its files lie beside dkvm's, so that one directory is the whole package.
if has_addon "$package"; then
    mkdir "$tree/addon" "$tree/addon/DEBIAN"
    install -D -m 644 "$tree/usr/share/doc/dkvm/copyright" "$tree/addon/usr/share/doc/dkvm-arm64/copyright"
    tree=$tree/addon
    for file in $addon_files; do
        mkdir -p "$tree/opt/dkvm/package/$(dirname "$file")"
        cp -al "$package/$file" "$tree/opt/dkvm/package/$file"
    done
    install -m 755 "$here/debian/arm64-postinst" "$tree/DEBIAN/postinst"
    install -m 755 "$here/debian/arm64-prerm" "$tree/DEBIAN/prerm"
    pack dkvm-arm64 "$here/debian/arm64-control"
fi

"""Prints what is in a layer as JSON, sorted by name: list-tree.py tar FILE, or list-tree.py directory DIR."""

import hashlib
import json
import os
import stat
import sys
import tarfile

KINDS = {tarfile.REGTYPE: "file", tarfile.DIRTYPE: "directory", tarfile.SYMTYPE: "symlink", tarfile.LNKTYPE: "hardlink"}


def digest(data):
    return hashlib.sha256(data).hexdigest()


def entry(name, kind, info, link="", data=None):
    mode, uid, gid, mtime = info
    # A symlink's own mode means nothing, and what an unpacker leaves there differs.
    mode = None if kind == "symlink" else oct(mode)
    found = {"name": name, "kind": kind, "mode": mode, "owner": [uid, gid], "mtime": mtime, "link": link}
    return found if data is None else {**found, "size": len(data), "sha256": digest(data)}


def of_tar(path):
    with tarfile.open(path) as archive:
        for member in archive:
            data = archive.extractfile(member).read() if member.isreg() else None
            info = (member.mode, member.uid, member.gid, member.mtime)
            yield entry(member.name, KINDS.get(member.type, repr(member.type)), info, member.linkname, data)


def of_directory(root):
    for directory, directories, files in os.walk(root):
        for name in directories + files:
            path = os.path.join(directory, name)
            found = os.lstat(path)
            info = (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid, found.st_mtime)
            relative = os.path.relpath(path, root)
            if stat.S_ISLNK(found.st_mode):
                yield entry(relative, "symlink", info, os.readlink(path))
            elif stat.S_ISDIR(found.st_mode):
                yield entry(relative, "directory", info)
            else:
                with open(path, "rb") as file:
                    yield entry(relative, "file", info, "", file.read())


source = of_tar if sys.argv[1] == "tar" else of_directory
json.dump(sorted(source(sys.argv[2]), key=lambda found: found["name"]), sys.stdout)

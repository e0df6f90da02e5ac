import { posix } from "node:path";
import { architectureOf } from "../../../oci/platform.ts";
import { type ImageFacts, startsAsAws } from "../../facts.ts";
import { groupNatives, type Native, nativeFiles } from "../../native/files.ts";
import { type Rule, shortList } from "../../rule.ts";
import { cLibraryOf } from "../../runtime.ts";
import { runsOn } from "./native.ts";

/** The loader looks for the libraries in DT_NEEDED only in the app and in the base. */
export const sharedLibraries: Rule = {
  id: "shared-libraries",
  severity: "warning",
  expects: "the app or the base has every library that native code needs",
  otherwise: "ImportError: libxcb.so.1: cannot open shared object file: No such file or directory",
  check(facts) {
    const architecture = architectureOf(facts.settings);
    const base = librariesOfBase(facts);
    if (!architecture || !base) return [];
    const own = ownLibraries(facts);
    const missingFrom = ({ file }: Native) =>
      (file.needed ?? []).filter((name) => !own.has(name) && !base(name));
    const incomplete = nativeFiles(facts).filter(
      (one) => runsOn(one.file, architecture) && one.file.libc !== "musl" && missingFrom(one).length > 0,
    );
    return groupNatives(incomplete).map((natives) => {
      const [first] = natives;
      const { name } = first.package;
      const missing = [...new Set(natives.flatMap(missingFrom))].sort();
      const owner = name === undefined ? "native code of the app" : `the package ${name}`;
      const libraries = missing.length === 1 ? "1 library" : `${missing.length} libraries`;
      return {
        message: `${owner} needs ${libraries} that neither the app nor the base has: ${shortList(missing, missing.length, 5)}`,
        path: `/${first.path}`,
        hint: hintFor(name, missing),
      };
    });
  },
};

function hintFor(name: string | undefined, missing: readonly string[]): string {
  if (/^opencv[-_]/.test(name ?? ""))
    return "pip install --target . opencv-python-headless, which needs no display";
  return `put ${missing[0] ?? "it"} into the directory lib of the app, which LD_LIBRARY_PATH of AWS's bases names, or use a base that has it`;
}

/** Returns libraries in any directory: wheels keep theirs beside modules (auditwheel). */
function ownLibraries({ files: { view } }: ImageFacts): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { path, kind } of view.entries())
    if (kind !== "directory" && /\.so(?:\.[\d.]+)?$/.test(path)) names.add(posix.basename(path));
  return names;
}

/** Returns a test for libraries of the base; undefined if nothing is known about it. */
function librariesOfBase(facts: ImageFacts): ((name: string) => boolean) | undefined {
  if (facts.files.whole) return cLibraryOf(facts) && ((name) => LIBC.test(name));
  if (!startsAsAws(facts) || !facts.base) return undefined;
  const { system, repository } = facts.base;
  const only = system === "AL2023" ? AL2023 : AL2;
  const language = repository === "python" ? /^libpython3/ : repository === "ruby" ? /^libruby/ : /^$/;
  return (name) => LIBC.test(name) || COMMON.test(name) || only.test(name) || language.test(name);
}

const LIBC =
  /^(?:ld-linux|linux-vdso|lib(?:c|m|dl|rt|pthread|util|resolv|nsl|anl|nss_\w+|BrokenLocale|thread_db|mvec)\.so)/;
/** Libraries in AWS's bases, from their package lists: in both systems, then in only one. */
const COMMON =
  /^lib(?:gcc_s|stdc\+\+|z|bz2|lzma|zstd|curl|expat|ffi|sqlite3|xml2|glib-2\.0|gobject-2\.0|gio-2\.0|gmodule-2\.0|gthread-2\.0|ncursesw?|tinfo|panelw?|formw?|menuw?|readline|history|uuid|blkid|mount|smartcols|selinux|pcre2?-\w+|pcre2?|acl|attr|cap|audit|idn2|unistring|psl|nghttp2|ssh2?|krb5\w*|k5crypto|gssapi_krb5|com_err|keyutils|lber|ldap(?:_r)?(?:-2\.\d)?|sasl2|gpgme|gpg-error|gcrypt|assuan|p11-kit|tasn1|gmp|nettle|hogweed|rpm\w*|popt|lua\S*|db-5\.\d|elf\S*|magic|archive|json-c|yaml-0|verto\S*|crack|gdbm\S*)\.so/;
const AL2023 =
  /^lib(?:ssl|crypto)\.so\.3$|^libcrypt\.so\.2$|^lib(?:brotli\w+|lz4|modulemd|solv\w*|dnf|repo|peas\S*|systemd|zck)\S*\.so/;
const AL2 =
  /^lib(?:ssl|crypto)\.so\.(?:10|1\.1)$|^libcrypt\.so\.1$|^lib(?:nss3?|nssutil3|nspr4|plc4|plds4|smime3|ssl3|freebl\w*|softokn3)\.so/;

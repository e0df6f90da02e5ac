import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Selection } from "../../../src/dependencies/detect.ts";
import { planPythonLock } from "../../../src/dependencies/python/installation.ts";
import { evaluateMarker, satisfiesAll } from "../../../src/dependencies/python/marker.ts";
import { planPylock } from "../../../src/dependencies/python/pylock.ts";
import { parseUvLock, planUvLock } from "../../../src/dependencies/python/uv-lock.ts";
import { bestWheel, platformTags } from "../../../src/dependencies/python/wheels.ts";
import { markerEnvironment, type PythonTarget } from "../../../src/dependencies/target.ts";
import { codeOf } from "../../support/errors.ts";
import { makeTree } from "../../support/trees.ts";

const AL2023: PythonTarget = { minor: 12, machine: "x86_64", libc: { kind: "glibc", minor: 34 } };
const AL2: PythonTarget = { minor: 11, machine: "x86_64", libc: { kind: "glibc", minor: 26 } };
const ARM: PythonTarget = { ...AL2023, machine: "aarch64" };
const HASH = "0".repeat(64);
const PLAIN: Selection = { extras: [], groups: [] };

describe("versions in the order of PEP 440", () => {
  for (const [version, specifier, expected] of [
    ["1.0", "==1", true],
    ["1.0.post1", ">1.0", true],
    ["1.0.dev1", "<1.0a1", true],
    ["1.0rc1", "<1.0", true],
    ["1!0.1", ">99", true],
    ["3.12.99", ">=3.9,<3.13", true],
    ["3.13.99", ">=3.9,<3.13", false],
    ["3.10.2", "!=3.10.*", false],
    ["3.1.2", "==3.10.*", false],
    ["2.3.4", "~=2.2", true],
    ["3.0", "~=2.2", false],
    ["2.2.9", "~=2.2.1", true],
    ["2.3.0", "~=2.2.1", false],
    ["1.0+local", "==1.0", true],
    ["nonsense", ">=1", false],
    ["3.9", ">= 3.8 , < 4", true],
    ["3.6.1", ">=3.6.*", true],
    ["3.5.9", ">=3.6.*", false],
  ] as const) {
    it(`${version} ${expected ? "satisfies" : "does not satisfy"} ${specifier}`, () => {
      assert.equal(satisfiesAll(version, specifier), expected);
    });
  }
});

describe("an environment marker", () => {
  const context = {
    environment: markerEnvironment(ARM),
    extras: new Set(["fast"]),
    groups: new Set(["batch-jobs"]),
  };
  for (const [marker, expected] of [
    ["sys_platform == 'linux'", true],
    ["sys_platform == 'win32' or platform_machine == 'aarch64'", true],
    ["sys_platform == 'win32' and platform_machine == 'aarch64'", false],
    ["(sys_platform == 'win32' or os_name == 'posix') and python_version >= '3.10'", true],
    ["python_version < '3.9'", false],
    ["python_full_version < '3.12.4'", false],
    ["'linux' in sys_platform", true],
    ["platform_machine not in 'x86_64 AMD64'", true],
    ['implementation_name == "cpython" and platform_python_implementation != "PyPy"', true],
    ["extra == 'fast'", true],
    ["extra == 'slow'", false],
    ["'fast' in extras and 'dev' not in dependency_groups", true],
    ["'Batch_Jobs' in dependency_groups and 'slow' not in extras", true],
    ["os.name == 'posix'", true],
    ["python_version == '3.*'", true],
  ] as const) {
    it(`${marker} is ${expected} for Python 3.12 on Linux aarch64`, () => {
      assert.equal(evaluateMarker(marker, context), expected);
    });
  }

  for (const marker of [
    "",
    "sys_platform",
    "sys_platform ==",
    "unknown == 'x'",
    "a b c d",
    "(os_name == 'posix'",
    "os_name = 'posix'",
  ]) {
    it(`cannot be read as ${JSON.stringify(marker)}`, () => {
      assert.equal(evaluateMarker(marker, context), undefined);
    });
  }
});

describe("the wheel for a target", () => {
  const choose = (target: PythonTarget, ...files: readonly string[]) =>
    bestWheel(
      files.map((file) => ({ file: `x-1.0-${file}.whl` })),
      target,
    )?.file.slice("x-1.0-".length, -".whl".length);

  it("may need no newer glibc than the base has", () => {
    assert.equal(choose(AL2, "cp311-cp311-manylinux_2_28_x86_64"), undefined);
    assert.equal(
      choose(AL2, "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64"),
      "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
    );
    assert.equal(choose(AL2023, "cp312-cp312-manylinux_2_28_x86_64"), "cp312-cp312-manylinux_2_28_x86_64");
    assert.equal(choose(AL2023, "cp312-cp312-manylinux_2_35_x86_64"), undefined);
  });

  it("the wheel for a target is for its machine, its Python and its libc", () => {
    const files = [
      "cp312-cp312-manylinux_2_17_x86_64",
      "cp312-cp312-manylinux_2_17_aarch64",
      "cp312-cp312-musllinux_1_2_aarch64",
    ];
    assert.equal(choose(ARM, ...files), "cp312-cp312-manylinux_2_17_aarch64");
    assert.equal(
      choose({ ...ARM, libc: { kind: "musl", minor: 2 } }, ...files),
      "cp312-cp312-musllinux_1_2_aarch64",
    );
    assert.equal(choose({ ...AL2023, minor: 13 }, ...files), undefined);
    assert.equal(choose(AL2023, "cp312-cp312-macosx_11_0_arm64", "cp312-cp312-win_amd64"), undefined);
  });

  it("the wheel for a target is the one made for the Python itself, then a stable ABI, then pure Python", () => {
    const pure = "py3-none-any";
    const stable = "cp39-abi3-manylinux2014_x86_64";
    const own = "cp312-cp312-manylinux2014_x86_64";
    assert.equal(choose(AL2023, pure, stable, own), own);
    assert.equal(choose(AL2023, pure, stable), stable);
    assert.equal(choose(AL2023, pure), pure);
    assert.equal(choose(AL2023, "cp313-abi3-manylinux2014_x86_64"), undefined);
    assert.equal(choose(AL2023, "py2-none-any"), undefined);
    assert.equal(choose(AL2023, "py2.py3-none-any"), "py2.py3-none-any");
  });

  it("the wheel for a target is the one for the newest libc of several", () => {
    const files = ["cp312-cp312-manylinux2014_x86_64", "cp312-cp312-manylinux_2_28_x86_64"];
    assert.equal(choose(AL2023, ...files), files[1]);
  });

  it("on arm64 has no manylinux older than 2014", () => {
    assert.equal(platformTags(ARM).at(-2), "manylinux2014_aarch64");
    assert.equal(platformTags(AL2023).includes("manylinux1_x86_64"), true);
  });
});

const UV_LOCK = `version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "a" },
    { name = "old", marker = "python_full_version < '3.9'" },
    { name = "b", extra = ["fast"], marker = "sys_platform == 'linux'" },
]
[package.dev-dependencies]
dev = [{ name = "tests" }]

[[package]]
name = "a"
version = "1.0"
source = { registry = "https://pypi.example/simple" }
dependencies = [{ name = "fork", version = "2.0", marker = "python_full_version >= '3.12'" }, { name = "fork", version = "1.0", marker = "python_full_version < '3.12'" }]
sdist = { url = "https://files.example/a-1.0.tar.gz", hash = "sha256:${HASH}", size = 1 }
wheels = [{ url = "https://files.example/a-1.0-py3-none-any.whl", hash = "sha256:${HASH}", size = 12 }]

[[package]]
name = "b"
version = "1.0"
source = { registry = "https://pypi.example/simple" }
wheels = [
    { url = "https://files.example/b-1.0-cp312-cp312-manylinux_2_28_x86_64.whl", hash = "sha256:${HASH}", size = 1 },
    { url = "https://files.example/b-1.0-cp312-cp312-manylinux_2_28_aarch64.whl", hash = "sha256:${HASH}", size = 2 },
]
[package.optional-dependencies]
fast = [{ name = "c" }]

${["c@1.0", "fork@1.0", "fork@2.0", "old@1.0", "tests@1.0", "unused@1.0"]
  .map((one) => {
    const [name, version] = one.split("@");
    return `[[package]]
name = "${name}"
version = "${version}"
source = { registry = "https://pypi.example/simple" }
wheels = [{ url = "https://files.example/${name}-${version}-py3-none-any.whl", hash = "sha256:${HASH}" }]
`;
  })
  .join("\n")}`;

describe("what a uv.lock comes to for a target", () => {
  const packagesOf = (text: string, target: PythonTarget, member = ".", selection = PLAIN) =>
    planUvLock(parseUvLock(text, "uv.lock"), member, target, selection).packages.map(
      ({ name, version, url }) => `${name} ${version} ${url.replace(/.*-/, "")}`,
    );

  it("what a uv.lock comes to for a target is what the project needs, with markers of the target and extras, without groups", () => {
    assert.deepEqual(packagesOf(UV_LOCK, ARM), [
      "a 1.0 any.whl",
      "b 1.0 manylinux_2_28_aarch64.whl",
      "c 1.0 any.whl",
      "fork 2.0 any.whl",
    ]);
  });

  it("what a uv.lock comes to for a target is refused if the URL of a wheel has a damaged percent escape", () => {
    assert.throws(
      () => packagesOf(UV_LOCK.replace("/a-1.0-py3", "/a-1.0%-py3"), ARM),
      codeOf("LOCK_INVALID", /uv\.lock.*\.url has a damaged percent escape: a-1\.0%-py3/),
    );
  });

  it("what a uv.lock comes to for a target has the extras and groups that are asked for, with what they need", () => {
    const text = UV_LOCK.replace(
      "[package.dev-dependencies]\n",
      '[package.optional-dependencies]\nold-api = [{ name = "unused" }]\n[package.dev-dependencies]\nbatch = [{ name = "old" }]\n',
    );
    const names = (selection: Selection) =>
      packagesOf(text, ARM, ".", selection).flatMap((one) =>
        /^(?:unused|old|tests) /.test(one) ? one[0] : [],
      );
    assert.deepEqual(names(PLAIN), []);
    assert.deepEqual(names({ extras: ["Old.API"], groups: ["batch", "dev"] }), ["o", "t", "u"]);
    assert.throws(
      () => names({ extras: [], groups: ["ops"] }),
      codeOf("USAGE", /uv.lock has no group ops: it has batch, dev/),
    );
    assert.throws(
      () => packagesOf(UV_LOCK, ARM, ".", { extras: ["web"], groups: [] }),
      codeOf("USAGE", /uv.lock has no extra web: it has no extras/),
    );
  });

  const GROUPS = `version = 1
[[package]]
name = "app"
source = { virtual = "." }
[package.dev-dependencies]
dev = [{ name = "d" }]
jobs = [{ name = "j" }]
docs = [{ name = "s" }]
${["d", "j", "s"]
  .map(
    (name) => `[[package]]
name = "${name}"
version = "1.0"
source = { registry = "https://pypi.org/simple" }
wheels = [{ url = "https://files.example/${name}-1.0-py3-none-any.whl", hash = "sha256:${HASH}" }]
`,
  )
  .join("")}`;
  for (const [setting, groups, expected] of [
    ["", [], []],
    ['default-groups = ["dev", "jobs"]', [], ["j"]],
    ['default-groups = ["dev", "jobs"]', ["docs", "dev"], ["d", "j", "s"]],
    ['default-groups = "all"', [], ["j", "s"]],
  ] as const) {
    it(`a uv.lock with ${setting || "no default-groups"} and --group ${groups.join(",") || "(none)"} installs the groups of ${expected.join(",") || "none"}`, () => {
      const project = `[dependency-groups]\ndev = []\njobs = []\ndocs = []\n[tool.uv]\n${setting}\n`;
      const directory = makeTree({ "uv.lock": GROUPS, "pyproject.toml": project });
      const lock = { way: "uv-lock", directory, file: "uv.lock", member: "" } as const;
      const { packages } = planPythonLock(lock, ARM, { extras: [], groups });
      assert.deepEqual(
        packages.map(({ name }) => name),
        expected,
      );
    });
  }

  it("takes the one of two packages with one version that comes from the source of the dependency", () => {
    const other = `[[package]]
name = "c"
version = "1.0"
source = { registry = "https://other.example/simple" }
wheels = [{ url = "https://files.example/c-1.0-cp312-cp312-manylinux_2_17_aarch64.whl", hash = "sha256:${HASH}" }]
`;
    const needs =
      'fast = [{ name = "c", version = "1.0", source = { registry = "https://other.example/simple" } }]';
    const text = UV_LOCK.replace('fast = [{ name = "c" }]', needs) + other;
    assert.ok(packagesOf(text, ARM).includes("c 1.0 manylinux_2_17_aarch64.whl"));
  });

  it("names every package without a wheel for the target, what there is, and the base's libc", () => {
    const without = UV_LOCK.replace("c-1.0-py3-none-any.whl", "c-1.0-cp39-cp39-win_amd64.whl");
    assert.throws(
      () => packagesOf(without, { ...AL2, minor: 12 }),
      codeOf(
        "DEPENDENCY_UNAVAILABLE",
        /^b 1.0 has no wheel for Python 3.12 on linux x86_64 \(glibc 2.26\); there is cp312 manylinux_2_28_aarch64, cp312 manylinux_2_28_x86_64\nc 1.0 has no wheel for .*; there is cp39 win_amd64$/m,
      ),
    );
  });

  it("says that a package has only a source distribution", () => {
    const without = UV_LOCK.replace(/wheels = \[\{ url = "https:\/\/files.example\/a-1.0.*\n/, "");
    assert.throws(
      () => packagesOf(without, ARM),
      codeOf(
        "DEPENDENCY_UNAVAILABLE",
        /a 1.0 has no wheel .* a source distribution, which would have to be compiled/,
      ),
    );
  });

  it("what a uv.lock comes to for a target is refused for a Python that the lock excludes", () => {
    assert.throws(
      () => packagesOf(UV_LOCK, { ...AL2, minor: 10 }),
      codeOf("LOCK_INVALID", /uv.lock is for Python >=3.11, and the base has 3.10/),
    );
  });

  it("of a package from git or a directory is left to uv", () => {
    const git = UV_LOCK.replace(
      /(name = "c"\nversion = "1.0"\nsource = ).*/,
      '$1{ git = "https://x.example/c?rev=1#1" }',
    );
    assert.deepEqual(planUvLock(parseUvLock(git, "uv.lock"), ".", ARM, PLAIN).needsTool, [
      "c has a source of the kind git",
    ]);
    const local = UV_LOCK.replace(/(name = "c"\nversion = "1.0"\nsource = ).*/, '$1{ editable = "lib" }');
    assert.deepEqual(planUvLock(parseUvLock(local, "uv.lock"), ".", ARM, PLAIN).needsTool, [
      "c has a source of the kind editable",
    ]);
    assert.deepEqual(packagesOf(local, ARM, "lib"), []);
  });

  it("what a uv.lock comes to for a target is refused if the lock is of another version, damaged, or lacks the project", () => {
    assert.throws(() => parseUvLock("version = 2", "uv.lock"), codeOf("LOCK_INVALID", /version 2/));
    assert.throws(() => parseUvLock("version = ", "uv.lock"), codeOf("LOCK_INVALID", /uv.lock is not TOML/));
    assert.throws(
      () => parseUvLock("version = 1\n[[package]]\nname = 1", "uv.lock"),
      codeOf("LOCK_INVALID", /uv.lock.package\[0\]/),
    );
    assert.throws(
      () => packagesOf("version = 1", ARM),
      codeOf("LOCK_INVALID", /no package in the directory \./),
    );
  });
});

describe("what a pylock.toml comes to for a target", () => {
  const lock = (more = "") => `lock-version = "1.0"
created-by = "test"
requires-python = ">=3.9"
${more}
[[packages]]
name = "a"
version = "1.0"
wheels = [{ name = "a-1.0-py3-none-any.whl", url = "https://files.example/f?id=1", size = 3, hashes = { md5 = "x", sha256 = "${HASH}" } }]

[[packages]]
name = "windows-only"
version = "1.0"
marker = "sys_platform == 'win32'"
wheels = [{ url = "https://files.example/w-1.0-py3-none-win_amd64.whl", hashes = { sha256 = "${HASH}" } }]
`;

  it("what a pylock.toml comes to for a target has the extras and groups that are asked for, and its default groups", () => {
    const some = (name: string, marker: string) => `
[[packages]]
name = "${name}"
version = "1.0"
marker = "${marker}"
wheels = [{ url = "https://files.example/${name}-1.0-py3-none-any.whl", hashes = { sha256 = "${HASH}" } }]
`;
    const text = [
      lock('extras = ["web"]\ndependency-groups = ["main", "batch"]\ndefault-groups = ["main"]'),
      some("b", "'batch' in dependency_groups"),
      some("m", "'main' in dependency_groups"),
      some("w", "'web' in extras"),
    ].join("");
    const names = (selection: Selection) =>
      planPylock(text, "pylock.toml", ARM, selection).packages.map(({ name }) => name);
    assert.deepEqual(names(PLAIN), ["a", "m"]);
    assert.deepEqual(names({ extras: ["web"], groups: ["batch"] }), ["a", "b", "m", "w"]);
    assert.throws(
      () => names({ extras: ["www"], groups: [] }),
      codeOf("USAGE", /pylock.toml has no extra www: it has web/),
    );
  });

  it("what a pylock.toml comes to for a target is every package whose marker holds", () => {
    const { packages, needsTool } = planPylock(lock(), "pylock.toml", ARM, PLAIN);
    assert.deepEqual(
      packages.map(({ name, url, size }) => [name, url, size]),
      [["a", "https://files.example/f?id=1", 3]],
    );
    assert.deepEqual(needsTool, []);
  });

  it("what a pylock.toml comes to for a target is refused if the URL of a wheel has a damaged percent escape", () => {
    const damaged = lock().replace(
      /name = "a-1.0-py3-none-any.whl", url = ".*?"/,
      'url = "https://files.example/a%E0.whl"',
    );
    assert.throws(
      () => planPylock(damaged, "pylock.toml", ARM, PLAIN),
      codeOf("LOCK_INVALID", /pylock\.toml.*\.url has a damaged percent escape: a%E0\.whl/),
    );
  });

  it("what a pylock.toml comes to for a target is refused without a hash, for another Python, and of another version", () => {
    const noHash = lock().replace(/hashes = \{ md5.*?\}/, "hashes = {}");
    assert.throws(
      () => planPylock(noHash, "pylock.toml", ARM, PLAIN),
      codeOf("LOCK_INVALID", /no hash that can be checked for a-1.0-py3-none-any.whl/),
    );
    assert.throws(
      () => planPylock(lock(), "pylock.toml", { ...ARM, minor: 8 }, PLAIN),
      codeOf("LOCK_INVALID", /is for Python >=3.9/),
    );
    assert.throws(
      () => planPylock(lock().replace('"1.0"', '"2.0"'), "pylock.toml", ARM, PLAIN),
      codeOf("LOCK_INVALID", /lock-version 2.0/),
    );
  });
});

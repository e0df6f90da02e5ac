import { elf } from "../../support/formats/elf.ts";
import { jar } from "../../support/formats/jar.ts";
import { describeAppCases } from "../../support/images/app-cases.ts";

const NODE = "exports.handler = async () => 1;\n";
const PYTHON = "def handler(event, context):\n    return 1\n";
const EXPRESS = "const express = require('express');\nexports.handler = async () => express;\n";
/** The first bytes of a class file of this version of Java. */
const classFile = (java: number) => Buffer.from([0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 44 + java, 0, 16]);
const JAVA = { options: { handler: "com.example.App::handleRequest" } } as const;
const DOTNET = { "App.dll": "MZ", "App.deps.json": "{}" } as const;
const DOTNET_HANDLER = { options: { handler: "App::App.Function::Handle" } } as const;
const runtimeConfig = (version: number) =>
  JSON.stringify({
    runtimeOptions: {
      tfm: `net${version}.0`,
      framework: { name: "Microsoft.NETCore.App", version: `${version}.0.0` },
    },
  });
const RUBY = "def lambda_handler(event:, context:)\n  1\nend\n";
const addon = (abi: number, machine: "x86_64" | "arm64" = "x86_64") =>
  elf({ machine, symbols: [`node_register_module_v${abi}`] });

describeAppCases("code for another version of the runtime", {
  "a Python extension for another version is refused with both versions": {
    ...{ base: "python:3.12", rule: "runtime-version" },
    tree: {
      "app.py": PYTHON,
      "pydantic_core/_pydantic_core.cpython-311-x86_64-linux-gnu.so": elf(),
      "pydantic_core-2.1.0.dist-info/RECORD":
        "pydantic_core/_pydantic_core.cpython-311-x86_64-linux-gnu.so,,\n",
    },
    says: /pydantic_core 2\.1\.0 is built for Python 3\.11, and the base has Python 3\.12.*--python-version 3\.12 --no-deps pydantic_core==2\.1\.0/,
  },
  "a Python extension for the version of the base is fine": {
    base: "python:3.11",
    tree: { "app.py": PYTHON, "core/_core.cpython-311-x86_64-linux-gnu.so": elf(), "core/__init__.py": "" },
  },
  "a Python extension of the stable ABI is fine": {
    base: "python:3.12",
    tree: { "app.py": PYTHON, "core/_core.abi3.so": elf(), "core/__init__.py": "" },
  },
  "a package that does without its extension is a warning": {
    ...{ base: "python:3.12", rule: "runtime-version", severity: "warning", says: /markupsafe/i },
    tree: {
      "app.py": PYTHON,
      "markupsafe/_speedups.cpython-310-x86_64-linux-gnu.so": elf(),
      "MarkupSafe-2.1.0.dist-info/RECORD": "markupsafe/_speedups.cpython-310-x86_64-linux-gnu.so,,\n",
    },
  },
  "a class for a newer Java is refused with both versions": {
    ...{ ...JAVA, base: "java:17", rule: "runtime-version" },
    tree: { "com/example/App.class": classFile(21) },
    says: /compiled for Java 21, and the base has Java 17.*--release 17.*java:21/,
  },
  "a class for an older Java is fine": {
    ...{ ...JAVA, base: "java:21" },
    tree: { "com/example/App.class": classFile(11) },
  },
  ".NET code for a newer framework is refused with both versions": {
    ...{ ...DOTNET_HANDLER, base: "dotnet:6", rule: "runtime-version" },
    tree: { ...DOTNET, "App.runtimeconfig.json": runtimeConfig(8) },
    says: /published for \.NET 8, and the base has \.NET 6/,
  },
  ".NET code for the framework of the base is fine": {
    ...{ ...DOTNET_HANDLER, base: "dotnet:8" },
    tree: { ...DOTNET, "App.runtimeconfig.json": runtimeConfig(8) },
  },
  "gems for another Ruby are refused with both versions": {
    ...{ base: "ruby:3.3", rule: "runtime-version" },
    tree: { "lambda_function.rb": RUBY, "vendor/bundle/ruby/3.2.0/gems/rack-3/lib/rack.rb": "" },
    says: /gems are installed for Ruby 3\.2, and the base has Ruby 3\.3/,
  },
  "Prisma's engine for another OpenSSL is refused": {
    ...{ base: "nodejs:22", rule: "runtime-version" },
    tree: {
      "index.js": NODE,
      "node_modules/.prisma/client/libquery_engine-debian-openssl-1.1.x.so.node": elf(),
    },
    says: /for debian-openssl-1\.1\.x, and the base needs rhel-openssl-3\.0\.x.*npx prisma generate/,
  },
  "an addon for another Node is a warning": {
    ...{ base: "nodejs:22", rule: "runtime-version", severity: "warning" },
    tree: { "index.js": NODE, "node_modules/better-sqlite3/build/Release/better_sqlite3.node": addon(115) },
    says: /better-sqlite3 is built for Node 20, and the base has Node 22.*npm rebuild better-sqlite3/,
  },
  "an addon for another Node that the macro NODE_MODULE registers is a warning": {
    ...{
      base: "nodejs:24",
      rule: "runtime-version",
      severity: "warning",
      says: /heapdump is built for Node 20/,
    },
    tree: { "index.js": NODE, "node_modules/heapdump/build/Release/addon.node": elf({ nodeModule: 115 }) },
  },
  "an addon beside one for the Node of the base is fine": {
    base: "nodejs:22",
    tree: {
      "index.js": NODE,
      "node_modules/x/build/Release/x.node": addon(127),
      "node_modules/pprof/prebuilds/linux-x64/pprof.abi115.node": addon(115),
      "node_modules/pprof/prebuilds/linux-x64/pprof.abi127.node": addon(127),
      "node_modules/@lmdb/lmdb-linux-x64/node.abi115.glibc.node": addon(115),
      "node_modules/@lmdb/lmdb-linux-x64/node.napi.glibc.node": elf(),
    },
  },
  "addons for other Nodes only are one warning for each package, and those for another machine do not count":
    {
      ...{ base: "nodejs:22", rule: "runtime-version", severity: "warning" },
      tree: {
        "index.js": NODE,
        "node_modules/pprof/prebuilds/linux-x64/pprof.abi115.node": addon(115),
        "node_modules/pprof/prebuilds/linux-x64/pprof.abi137.node": addon(137),
        "node_modules/pprof/prebuilds/linux-arm64/pprof.abi127.node": addon(127, "arm64"),
      },
      says: /pprof\.abi115\.node pprof is built for Node 20, and the base has Node 22/,
    },
});

const GYP = "node_modules/bcrypt/binding.gyp";

const cxx = (version: string) =>
  elf({
    needed: ["libstdc++.so.6", "libc.so.6"],
    versions: ["GLIBC_2.17", "GLIBCXX_3.4", `GLIBCXX_${version}`],
  });

describeAppCases("modules that ask for a newer libstdc++", {
  "are told with both versions": {
    ...{ base: "nodejs:22", rule: "native-glibc", severity: "warning" },
    isDirectoryOnly: true, // the base of these tests has no libstdc++
    tree: {
      "index.js": NODE,
      "node_modules/tree-sitter/prebuilds/linux-x64/tree-sitter.node": cxx("3.4.31"),
    },
    says: /asks for libstdc\+\+ with GLIBCXX_3\.4\.31, and .* has 3\.4\.29.*tree-sitter/,
  },
  "are fine where the base has it, or the app brings its own": {
    base: "nodejs:22",
    tree: {
      "index.js": NODE,
      "node_modules/a/build/Release/a.node": cxx("3.4.31"),
      "lib/libstdc++.so.6": elf({ defined: ["GLIBCXX_3.4.31"] }),
    },
  },
});

describeAppCases("packages whose install script did not run", {
  "a package of the app that has binding.gyp and no compiled file is told": {
    ...{ base: "nodejs:22", rule: "native-compiled", severity: "warning" },
    tree: { "index.js": NODE, "package.json": '{"dependencies": {"bcrypt": "5"}}', [GYP]: "{}" },
    says: /bcrypt has no compiled module: its install script did not run.* npm rebuild bcrypt/,
  },
  "one that npm notes for another package is told, also behind a link": {
    ...{ base: "nodejs:22", rule: "native-compiled", severity: "warning" },
    tree: {
      "index.js": NODE,
      "node_modules/.package-lock.json": JSON.stringify({
        packages: { "node_modules/zlib": { hasInstallScript: true } },
      }),
      "node_modules/zlib": { link: ".pnpm/zlib@1/node_modules/zlib" },
      "node_modules/.pnpm/zlib@1/node_modules/zlib/binding.gyp": "{}",
    },
    says: /the package zlib has no compiled module/,
  },
  "one that is compiled, that has a package for its platform, or that others do without is fine": {
    base: "nodejs:22",
    tree: {
      "index.js": NODE,
      "package.json": '{"dependencies": {"bcrypt": "5", "lmdb": "3"}}',
      [GYP]: "{}",
      "node_modules/bcrypt/lib/binding/napi-v3/bcrypt_lib.node": elf(),
      "node_modules/lmdb/binding.gyp": "{}",
      "node_modules/@lmdb/lmdb-linux-x64/node.napi.glibc.node": elf(),
      "node_modules/cpu-features/binding.gyp": "{}",
      "node_modules/.package-lock.json": JSON.stringify({
        packages: { "node_modules/cpu-features": { hasInstallScript: true, optional: true }, "": null },
      }),
    },
  },
});

describeAppCases("ES modules and CommonJS", {
  "exports in an ES module is refused": {
    ...{ base: "nodejs:22", rule: "module-type", says: /"type": "module".*assigns to exports.*\.cjs/ },
    tree: { "index.js": NODE, "package.json": '{"type": "module"}' },
  },
  "exports in a file that ends in .mjs is refused": {
    ...{ base: "nodejs:22", rule: "module-type", says: /its ending \.mjs/ },
    tree: { "index.mjs": NODE },
  },
  "an ES module that calls require is told": {
    ...{ base: "nodejs:22", rule: "module-type", severity: "warning", says: /calls require.*write import/ },
    tree: { "index.mjs": "const fs = require('fs');\nexport const handler = async () => fs;\n" },
  },
  "an ES module that makes its require is fine": {
    base: "nodejs:22",
    tree: {
      "index.mjs":
        "import { createRequire } from 'module';\nconst require = createRequire(import.meta.url);\nconst fs = require('fs');\nexport const handler = async () => fs;\n",
    },
  },
  "export in a file that ends in .cjs is refused": {
    ...{ base: "nodejs:22", rule: "module-type", says: /its ending \.cjs makes it CommonJS/ },
    tree: { "index.cjs": "export const handler = async () => 1;\n" },
  },
  "export in a CommonJS package is refused": {
    ...{ base: "nodejs:24", rule: "module-type", says: /package\.json makes it CommonJS/ },
    tree: { "index.js": "export const handler = async () => 1;\n", "package.json": '{"type": "commonjs"}' },
  },
  "export without a type is a warning before Node 24": {
    ...{ base: "nodejs:22", rule: "module-type", severity: "warning", says: /"type": "module"/ },
    tree: { "index.js": "export const handler = async () => 1;\n" },
  },
  "export without a type is fine from Node 24 on": {
    base: "nodejs:24",
    tree: { "index.js": "export const handler = async () => 1;\n" },
  },
  "the nearest package.json counts": {
    base: "nodejs:22",
    tree: { "package.json": '{"type": "module"}', "cjs/package.json": "{}", "cjs/index.js": NODE },
    options: { handler: "cjs/index.handler" },
  },
  "a handler with a callback is refused on Node 24": {
    ...{ base: "nodejs:24", rule: "callback-handler", says: /3 parameters.*async function/ },
    tree: { "index.js": "exports.handler = (event, context, callback) => callback(null, 1);\n" },
  },
  "a handler with a callback is fine on Node 22": {
    base: "nodejs:22",
    tree: { "index.js": "exports.handler = (event, context, callback) => callback(null, 1);\n" },
  },
});

describeAppCases("dependencies that are not installed", {
  "packages of package.json are named with npm's command": {
    ...{ base: "nodejs:22", rule: "dependencies", severity: "warning" },
    tree: {
      "index.js": EXPRESS,
      "package.json": '{"dependencies":{"express":"5"}}',
      "package-lock.json": "{}",
    },
    says: /1 package that the app needs is not in node_modules: express.*npm ci --omit=dev/,
  },
  "packages are named with pnpm's command beside its lock file": {
    ...{ base: "nodejs:22", rule: "dependencies", severity: "warning", says: /pnpm install --prod/ },
    tree: { "index.js": EXPRESS, "package.json": '{"dependencies":{"express":"5"}}', "pnpm-lock.yaml": "" },
  },
  "a package that only another file of the app imports is missed": {
    ...{ base: "nodejs:22", rule: "dependencies", severity: "warning", says: /express/ },
    tree: {
      "index.js": "const app = require('./app');\nexports.handler = async () => app;\n",
      "app.js": EXPRESS,
      "package.json": '{"dependencies":{"express":"5"}}',
    },
  },
  "a bundled handler needs none": {
    base: "nodejs:22",
    tree: { "index.js": NODE, "package.json": '{"dependencies":{"express":"5"}}' },
  },
  "installed packages are fine": {
    base: "nodejs:22",
    tree: {
      "index.js": EXPRESS,
      "package.json": '{"dependencies":{"express":"5"}}',
      "node_modules/express/package.json": "{}",
    },
  },
  "the SDK of AWS's Node bases is fine": {
    base: "nodejs:22",
    tree: {
      "index.js": "require('@aws-sdk/client-s3');\nexports.handler = async () => 1;\n",
      "package.json": '{"dependencies":{"@aws-sdk/client-s3":"3"}}',
    },
  },
  "an import that no package.json lists is missed": {
    ...{ base: "nodejs:22", rule: "dependencies", severity: "warning", says: /@middy\/core/ },
    tree: { "index.mjs": "import middy from '@middy/core';\nexport const handler = middy();\n" },
  },
  "Plug'n'Play is told with what to set": {
    ...{ base: "nodejs:22", rule: "dependencies", severity: "warning", says: /Plug'n'Play.*nodeLinker/ },
    tree: { "index.js": EXPRESS, "package.json": '{"dependencies":{"express":"5"}}', ".pnp.cjs": "" },
  },
  "Plug'n'Play that is loaded is fine": {
    base: "nodejs:22",
    tree: { "index.js": EXPRESS, "package.json": '{"dependencies":{"express":"5"}}', ".pnp.cjs": "" },
    options: { env: { NODE_OPTIONS: "--require /var/task/.pnp.cjs" } },
  },
  "packages of requirements.txt are named with pip's command": {
    ...{ base: "python:3.12", rule: "dependencies", severity: "warning" },
    tree: {
      "app.py": PYTHON,
      "requirements.txt": "requests==2.32\nboto3\npywin32; sys_platform == 'win32'\n",
    },
    says: /1 package of requirements\.txt is not installed: requests.*pip install --target \. .*-r requirements\.txt/,
  },
  "packages of pyproject.toml are named": {
    ...{
      base: "python:3.12",
      rule: "dependencies",
      severity: "warning",
      says: /2 packages of pyproject\.toml are not installed: flask, pydantic/,
    },
    tree: {
      "app.py": PYTHON,
      "pyproject.toml":
        '[project]\nname = "x"\ndependencies = [\n  "flask>=3",\n  "pydantic[email]~=2.0",\n]\n',
    },
  },
  "packages of poetry's table are named": {
    ...{
      base: "python:3.12",
      rule: "dependencies",
      severity: "warning",
      says: /1 package of pyproject\.toml is not installed: flask/,
    },
    tree: {
      "app.py": PYTHON,
      "pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.12"\nflask = "^3"\n[tool.other]\nx = 1\n',
    },
  },
  "installed Python packages are fine": {
    base: "python:3.12",
    tree: {
      "app.py": PYTHON,
      "requirements.txt": "Flask-Cors>=4  # comment\nsix\n",
      "flask_cors/__init__.py": "",
      "Flask_Cors-4.0.dist-info/RECORD": "flask_cors/__init__.py,,\n",
    },
  },
  "an editable install is told": {
    ...{
      base: "python:3.12",
      rule: "dependencies",
      severity: "warning",
      says: /mylib is installed in editable mode.*without -e/,
    },
    tree: { "app.py": PYTHON, "__editable__.mylib-1.0.pth": "/home/me/src\n" },
  },
  "an editable install of an older setuptools is told": {
    ...{
      base: "python:3.12",
      rule: "dependencies",
      severity: "warning",
      says: /my-lib is installed in editable mode/,
    },
    tree: { "app.py": PYTHON, "my_lib.egg-link": "/home/me/src\n", "easy-install.pth": "/home/me/src\n" },
  },
  "packages of a file that requirements.txt includes are named": {
    ...{
      base: "python:3.12",
      rule: "dependencies",
      severity: "warning",
      says: /3 packages of requirements\.txt are not installed: flask, requests, rich/,
    },
    tree: {
      "app.py": PYTHON,
      "requirements.txt": "-r requirements/base.txt\n--requirement=requirements-web.txt\nrich\n",
      "requirements/base.txt": "-r ../requirements.txt\nflask\n",
      "requirements-web.txt": Buffer.from("\ufeffrequests\n", "utf16le"),
    },
  },
  "a Gemfile without its gems is told": {
    ...{
      base: "ruby:3.3",
      rule: "dependencies",
      severity: "warning",
      says: /1 gem of the Gemfile is not installed: rack.*bundle install/,
    },
    tree: {
      "lambda_function.rb": RUBY,
      Gemfile:
        'source "https://rubygems.org"\ngem "rack"\ngem "aws-sdk-s3"\ngroup :test do\n  gem "rspec"\nend\n',
    },
  },
  "a virtual environment is told with its packages": {
    ...{ base: "python:3.12", rule: "virtual-environment", severity: "warning" },
    tree: {
      "app.py": PYTHON,
      ".lambdaignore": "!.venv",
      ".venv/pyvenv.cfg": "home = /usr/bin\n",
      ".venv/bin/python3": { link: "/home/me/.pyenv/bin/python3" },
      ".venv/lib/python3.12/site-packages/requests/__init__.py": "x".repeat(2000),
      ".venv/lib/python3.12/site-packages/requests-2.32.0.dist-info/RECORD": "requests/__init__.py,,\n",
    },
    says: /virtual environment, in which Lambda does not look for packages \(requests\).*\.venv\/ to \.lambdaignore/,
  },
});

describeAppCases("links that lead nowhere", {
  "a scoped workspace package is told with what to do": {
    ...{ base: "nodejs:22", rule: "links", severity: "warning" },
    tree: { "index.js": NODE, "node_modules/@acme/shared": { link: "../../packages/shared" } },
    says: /1 link leads to nothing in the image: @acme\/shared -> \.\.\/\.\.\/packages\/shared.*pnpm deploy/,
  },
  "pnpm's store is told in one line": {
    ...{ base: "nodejs:22", rule: "links", severity: "warning", says: /4 links lead to nothing.*and 1 more/ },
    tree: {
      "index.js": NODE,
      ...Object.fromEntries(
        ["a", "b", "c", "d"].map((name) => [
          `node_modules/${name}`,
          { link: `.pnpm/${name}@1/node_modules/${name}` },
        ]),
      ),
    },
  },
  "the link that pnpm deploy leaves to the place of the package itself is fine": {
    base: "nodejs:22",
    tree: {
      "index.js": NODE,
      "node_modules/.pnpm/node_modules/@acme/api": { link: "../../../../../apps/api" },
    },
  },
  "a link out of the source directory is told": {
    ...{ base: "python:3.12", rule: "links", severity: "warning", says: /data -> \/home\/me\/data.*cp -rL/ },
    tree: { "app.py": PYTHON, data: { link: "/home/me/data" } },
  },
  "a link to a directory of the base that was not read is told": {
    ...{
      base: "python:3.12",
      rule: "links",
      severity: "warning",
      says: /tz -> \/usr\/share\/zoneinfo.*check --deep/,
    },
    isDirectoryOnly: true, // the check of an image reads this base
    tree: { "app.py": PYTHON, "app/tz": { link: "/usr/share/zoneinfo" } },
  },
  "a link to where files are while the function runs is advice": {
    ...{
      base: "python:3.12",
      rule: "links",
      severity: "info",
      says: /1 link leads out of the app.*cache -> \/tmp/,
    },
    tree: { "app.py": PYTHON, cache: { link: "/tmp/cache" } },
  },
  "a link to a directory above that the image has is not news": {
    base: "python:3.12",
    tree: { "app.py": PYTHON, "a/up": { link: "../.." }, "a/same": { link: "/var/task/app.py" } },
  },
  "links of one Python package are told in one line": {
    ...{ base: "python:3.12", rule: "links", severity: "warning", says: /3 links lead to nothing/ },
    tree: {
      "app.py": PYTHON,
      "pkg/a/x": { link: "/home/me/x" },
      "pkg/b/y": { link: "../../../../src/y" },
      "pkg/c/z": { link: "missing" },
    },
  },
  "links inside of a package of Node are told in one line": {
    ...{
      base: "nodejs:22",
      rule: "links",
      severity: "warning",
      says: /task\/node_modules\/@a\/b 2 links lead/,
    },
    tree: {
      "index.js": NODE,
      "node_modules/@a/b/bin/x": { link: "/home/me/x" },
      "node_modules/@a/b/lib/y": { link: "../gone" },
    },
  },
});

describeAppCases("shared libraries that nothing brings", {
  "a library that neither the app nor the base has is named with its package": {
    ...{ base: "python:3.12", rule: "shared-libraries", severity: "warning" },
    tree: {
      "app.py": PYTHON,
      "cv2/cv2.abi3.so": elf({ needed: ["libxcb.so.1", "libc.so.6"] }),
      "opencv_python-4.9.dist-info/RECORD": "cv2/cv2.abi3.so,,\n",
    },
    says: /the package opencv_python needs 1 library that neither the app nor the base has: libxcb\.so\.1/,
  },
  "a library that the wheel brings is fine": {
    base: "python:3.12",
    tree: {
      "app.py": PYTHON,
      "pkg/_x.abi3.so": elf({ needed: ["libfoo-1a2b.so.3", "libc.so.6"] }),
      "pkg.libs/libfoo-1a2b.so.3": elf({ needed: ["libc.so.6"] }),
    },
  },
});

describeAppCases("packages that only development needs", {
  "they are told with their bytes": {
    ...{ base: "nodejs:22", rule: "development-dependencies", severity: "warning" },
    tree: {
      "index.js": NODE,
      "node_modules/.package-lock.json": JSON.stringify({
        packages: {
          "node_modules/typescript": { dev: true },
          "node_modules/client": { devOptional: true },
          "node_modules/a": {},
        },
      }),
      "node_modules/typescript/lib/tsc.js": "x".repeat(12_000_000),
      "node_modules/client/index.js": "x".repeat(5_000_000),
      "node_modules/a/index.js": "x".repeat(1000),
    },
    says: /12 MB in 1 package that only development needs: typescript.*--omit-dev/,
  },
});

describeAppCases("a jar with a class of a newer Java", {
  "is refused as a class file is": {
    ...{ ...JAVA, base: "java:17", rule: "runtime-version", says: /compiled for Java 21/ },
    tree: { "lib/app.jar": jar(["com/example/App.class", classFile(21)]) },
  },
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resolveBase } from "../../../src/lambda/base-name.ts";
import { BASES, baseWarnings, findBase, shortName } from "../../../src/lambda/bases.ts";
import { parseReference } from "../../../src/oci/reference.ts";

const MIRROR = { LAMBDA_PACK_BASE_REGISTRY: "mirror.example:5000/ecr-public/lambda" };
const DIGEST = `sha256:${"a".repeat(64)}`;

describe("the name of a base", () => {
  for (const base of BASES) {
    it(`${shortName(base)} is AWS's`, () => {
      assert.deepEqual(resolveBase(shortName(base), {}), {
        reference: `public.ecr.aws/lambda/${shortName(base)}`,
        published: `public.ecr.aws/lambda/${shortName(base)}`,
        aws: true,
        base,
      });
    });
  }

  for (const name of ["python:3.12.2026.01.01.10", "python:3.12-x86_64", "python:3.12.2026.01.01.10-arm64"]) {
    it(`${name} is a form of python:3.12`, () => {
      const { reference, base } = resolveBase(name, {});
      assert.deepEqual([reference, base?.tag], [`public.ecr.aws/lambda/${name}`, "3.12"]);
    });
  }

  it("tells the one architecture of a tag that names it", () => {
    assert.deepEqual(resolveBase("python:3.12-arm64", {}).base?.architectures, ["arm64"]);
  });

  it("keeps its digest", () => {
    const name = `python:3.12@${DIGEST}`;
    assert.equal(resolveBase(name, {}).reference, `public.ecr.aws/lambda/${name}`);
  });

  it("the name of a base is published under one name, whatever stands in for AWS's registry", () => {
    const mirrored = resolveBase("python:3.12", { LAMBDA_PACK_BASE_REGISTRY: "localhost:5000/aws" });
    assert.equal(mirrored.reference, "localhost:5000/aws/python:3.12");
    assert.equal(mirrored.published, "public.ecr.aws/lambda/python:3.12");
  });

  it("in full is the same as in short", () => {
    assert.deepEqual(resolveBase("public.ecr.aws/lambda/python:3.12", {}), resolveBase("python:3.12", {}));
  });

  it("in full may be newer than the table", () => {
    const name = "public.ecr.aws/lambda/python:3.99";
    assert.deepEqual(resolveBase(name, {}), { reference: name, published: name, aws: true });
  });

  for (const name of [
    "docker.io/library/python:3.12-slim",
    "ghcr.io/acme/python:3.12",
    "localhost/acme/base",
  ]) {
    it(`${name} stays as it is`, () => {
      const { reference, aws } = resolveBase(name, {});
      assert.deepEqual([reference, aws], [name, false]);
    });
  }

  for (const [name, meant] of [
    ["pyhton:3.12", "python:3.12"],
    ["python3.12", "python:3.12"],
    ["python-3.12", "python:3.12"],
    ["Python:3.12", "python:3.12"],
    ["node:20", "nodejs:20"],
    ["node:22-slim", "nodejs:22"],
    ["nodejs22", "nodejs:22"],
    ["nodejs22.x", "nodejs:22"],
    ["provided.al2023", "provided:al2023"],
    ["provided.al2", "provided:al2"],
    ["dotnet8", "dotnet:8"],
    ["java8.al2", "java:8.al2"],
    ["py:3.12", "python:3.12"],
    ["python@3.12", "python:3.12"],
    ["lambda/nodejs:22", "nodejs:22"],
    ["amazon/aws-lambda-python:3.12", "python:3.12"],
  ] as const)
    it(`the base ${name} is refused, and ${meant} is suggested`, () => {
      assert.throws(() => resolveBase(name, {}), {
        code: "REFERENCE_INVALID",
        message: new RegExp(`did you mean ${meant}\\?`),
        hint: new RegExp(
          `^write ${meant}; an image of Docker Hub is written docker\\.io/${name.includes("/") ? "" : "library/"}${name}$`,
        ),
      });
    });

  it("python3 is refused, and the newest versions of Python 3 are suggested", () => {
    assert.throws(() => resolveBase("python3", {}), {
      message: /did you mean python:3\.14, python:3\.13 or/,
    });
  });

  it("public.ecr.aws/lambda/pyhton:3.12 is refused, and python is suggested", () => {
    assert.throws(() => resolveBase("public.ecr.aws/lambda/pyhton:3.12", {}), {
      code: "REFERENCE_INVALID",
      message: /no base images in public\.ecr\.aws\/lambda\/pyhton: did you mean python\?/,
      hint: "write python:3.12",
    });
  });

  for (const name of ["debian:12", "acme/base", "alpine"])
    it(`the base ${name} without a registry is refused, and says how Docker Hub is written`, () => {
      assert.throws(() => resolveBase(name, {}), {
        code: "REFERENCE_INVALID",
        message: /names no registry/,
        hint: /docker\.io\/(?:library\/debian:12|acme\/base|library\/alpine) for Docker Hub/,
      });
    });

  const refused: readonly (readonly [string, RegExp, RegExp])[] = [
    [
      "python:3.21",
      /python:3\.21 is not one of AWS's base images; similar are python:3\.12/,
      /lambda\/python:3\.21/,
    ],
    ["python:3.12-slim", /similar are python:3\.12,/, /docker\.io\/library\/python:3\.12-slim/],
    ["nodejs", /needs a version: nodejs:24, nodejs:22 or/, /docker\.io/],
    ["provided:al2032", /similar are provided:al2023/, /public\.ecr\.aws\/lambda\/provided:al2032/],
  ];
  for (const [name, message, hint] of refused) {
    it(`${name} is refused with the nearest ones and a way to the image of that name elsewhere`, () => {
      assert.throws(() => resolveBase(name, {}), { code: "REFERENCE_INVALID", message, hint });
    });
  }

  for (const name of [
    "python:3.12@sha256:abc",
    "Python:3.12",
    "python:3 12",
    "https://public.ecr.aws/lambda/python:3.12",
    "",
  ]) {
    it(`${JSON.stringify(name)} is not a reference`, () => {
      assert.throws(() => resolveBase(name, {}), { code: "REFERENCE_INVALID" });
    });
  }
});

describe("LAMBDA_PACK_BASE_REGISTRY", () => {
  it("stands in for public.ecr.aws/lambda, in short names and full ones", () => {
    const reference = "mirror.example:5000/ecr-public/lambda/python:3.12";
    assert.equal(resolveBase("python:3.12", MIRROR).reference, reference);
    assert.equal(resolveBase("public.ecr.aws/lambda/python:3.12", MIRROR).reference, reference);
  });
  it("LAMBDA_PACK_BASE_REGISTRY is AWS's too when a full name uses it", () => {
    const { aws, base } = resolveBase("mirror.example:5000/ecr-public/lambda/nodejs:22", MIRROR);
    assert.deepEqual([aws, base?.runtime], [true, "nodejs22.x"]);
  });
  it("may be a host alone, and end in a slash", () => {
    const reference = resolveBase("nodejs:22", { LAMBDA_PACK_BASE_REGISTRY: "localhost:5000/" }).reference;
    assert.equal(reference, "localhost:5000/nodejs:22");
  });
  it("leaves other images alone", () =>
    assert.equal(resolveBase("ghcr.io/a/debian:12", MIRROR).reference, "ghcr.io/a/debian:12"));
  it("that is empty counts as not set", () => {
    const { reference } = resolveBase("python:3.12", { LAMBDA_PACK_BASE_REGISTRY: "" });
    assert.equal(reference, "public.ecr.aws/lambda/python:3.12");
  });
  for (const value of [
    "https://mirror.example/lambda",
    "mirror",
    "mirror/lambda",
    "mirror.example/Lambda",
    "a b",
  ]) {
    it(`${JSON.stringify(value)} is refused by the variable's name`, () => {
      assert.throws(() => resolveBase("python:3.12", { LAMBDA_PACK_BASE_REGISTRY: value }), {
        code: "REFERENCE_INVALID",
        message: /LAMBDA_PACK_BASE_REGISTRY/,
      });
    });
  }
});

describe("the table of bases", () => {
  it("the table of bases has references that can be pulled", () => {
    for (const base of BASES) parseReference(`public.ecr.aws/lambda/${shortName(base)}`);
  });
  it("the table of bases has real days", () => {
    for (const { deprecated } of BASES)
      assert.equal(new Date(deprecated).toISOString().slice(0, 10), deprecated);
  });
  it("the table of bases has each base once", () =>
    assert.equal(new Set(BASES.map(shortName)).size, BASES.length));
  it("the table of bases does not take 3.1 for the start of 3.12", () =>
    assert.equal(findBase("python", "3.1"), undefined));
  it("the table of bases does not take java 8.al2 for a form of java 8", () =>
    assert.equal(findBase("java", "8.al2")?.system, "AL2"));
});

describe("a base that gets no more patches", () => {
  const warningsOf = (tag: string, day: string) =>
    baseWarnings(findBase("python", tag) ?? assert.fail(), new Date(day));

  it("a base that gets no more patches is warned of from the day after its deprecation", () => {
    assert.deepEqual(warningsOf("3.12", "2028-10-31T23:59:59Z"), []);
    const [warning] = warningsOf("3.12", "2028-11-01T00:00:00Z");
    assert.match(
      warning?.message ?? "",
      /python:3\.12 gets no more security patches: AWS ended its support on 2028-10-31/,
    );
    assert.match(warning?.hint ?? "", /python:3\.14/);
  });
  it("a base that gets no more patches is one whose Amazon Linux has ended", () => {
    const [warning] = warningsOf("3.11", "2026-11-23T00:00:00Z");
    assert.match(warning?.message ?? "", /its Amazon Linux 2 ended on 2026-06-30/);
  });
  it("a base that gets no more patches is warned of once, for both reasons", () => {
    const warnings = warningsOf("3.9", "2026-11-23T00:00:00Z");
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]?.message ?? "", /2025-12-15, and its Amazon Linux 2/);
  });
});

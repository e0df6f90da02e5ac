import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chooseBase, languagesIn } from "../../../src/lambda/detect-base.ts";
import { rangeAllows } from "../../../src/lambda/version-range.ts";

const TODAY = new Date("2026-01-15T00:00:00Z");

describe("languagesIn", () => {
  for (const [names, languages] of [
    [["package.json"], ["nodejs"]],
    [["index.mjs"], ["nodejs"]],
    [["requirements.txt"], ["python"]],
    [["pyproject.toml"], ["python"]],
    [["Pipfile"], ["python"]],
    [["app.py"], ["python"]],
    [["setup.py", "eslint.config.js"], []],
    [["App.runtimeconfig.json"], ["dotnet"]],
    [["App.deps.json"], ["dotnet"]],
    [["lib/app.jar"], ["java"]],
    [["com/example/App.class"], ["java"]],
    [["Gemfile"], ["ruby"]],
    [["lambda_function.rb"], ["ruby"]],
    [["bootstrap"], ["provided"]],
    [
      ["package.json", "app.py"],
      ["nodejs", "python"],
    ],
    [["data/package.json", "notes.txt"], []],
  ] as const)
    it(`finds ${languages.join(" and ") || "no language"} in ${names.join(", ")}`, () =>
      assert.deepEqual([...languagesIn(names).keys()], languages));
});

describe("rangeAllows", () => {
  for (const [range, allowed] of [
    [">=20", [20, 22, 24]],
    [">20", [22, 24]],
    [">=20.5.0", [20, 22, 24]],
    ["<22", [18, 20]],
    ["<22.5", [18, 20, 22]],
    [">=20 <23.0.0", [20, 22]],
    ["^20.3.1 || ^22", [20, 22]],
    ["22.x", [22]],
    ["22", [22]],
    ["v22.3.1", [22]],
    ["~22.3", [22]],
    ["18 - 22", [18, 20, 22]],
    ["*", [18, 20, 22, 24]],
    [">=20.0.0-0", [20, 22, 24]],
  ] as const)
    it(`allows Node ${allowed.join(", ")} by ${range}`, () =>
      assert.deepEqual(
        [18, 20, 22, 24].filter((major) => rangeAllows(range, [major])),
        allowed,
      ));

  for (const [range, allowed] of [
    [">=3.11", [11, 12, 13, 14]],
    [">=3.11,<3.13", [11, 12]],
    [">=3.12.4", [12, 13, 14]],
    ["~=3.12", [12, 13, 14]],
    ["~=3.12.1", [12]],
    ["==3.12.*", [12]],
    [">=3.10, !=3.11.*, <=3.13", [10, 12, 13]],
    ["!=3.12.1", [10, 11, 12, 13, 14]],
    ["^3.12", [12, 13, 14]],
    ["~3.12", [12]],
    [">=3", [10, 11, 12, 13, 14]],
    [">=4", []],
  ] as const)
    it(`allows Python 3.${allowed.join(", 3.") || "none"} by ${range}`, () =>
      assert.deepEqual(
        [10, 11, 12, 13, 14].filter((minor) => rangeAllows(range, [3, minor])),
        allowed,
      ));

  for (const range of ["latest", "", ">=", "file:../node", "20 || x y"])
    it(`cannot read ${JSON.stringify(range)}`, () => assert.equal(rangeAllows(range, [22]), undefined));
});

describe("chooseBase", () => {
  const engines = (range: string) => ({ range, source: "engines.node {} in package.json" });

  it("takes the newest base that the pin allows, and says which pin", () => {
    const found = chooseBase("nodejs", "package.json", [engines(">=20 <24")], TODAY);
    assert.equal(found?.base, "nodejs:22");
    assert.equal(found.reason, "engines.node >=20 <24 in package.json");
  });

  it("takes a base that every pin allows", () => {
    const pins = [engines(">=18"), { range: "20.11.0", source: "{} in .nvmrc" }];
    const found = chooseBase("nodejs", "package.json", pins, TODAY);
    assert.equal(found?.base, "nodejs:20");
    assert.equal(found.reason, "engines.node >=18 in package.json and 20.11.0 in .nvmrc");
  });

  it("takes the newest without a pin", () => {
    const found = chooseBase("python", "app.py", [], TODAY);
    assert.equal(found?.base, "python:3.14");
    assert.equal(found.reason, "app.py, and it is the newest that AWS supports");
  });

  it("chooseBase does not say that AWS supports a base that it no longer supports", () => {
    const found = chooseBase("python", "app.py", [], new Date("2040-01-01T00:00:00Z"));
    assert.equal(found?.reason, "app.py, and AWS supports no newer one");
  });

  it("takes a base that AWS no longer supports if the pin allows no other", () =>
    assert.equal(chooseBase("nodejs", "", [engines("16 - 18")], TODAY)?.base, "nodejs:18"));

  it("finds no base if none has the version", () =>
    assert.equal(chooseBase("nodejs", "", [engines("23")], TODAY), undefined));

  it("says that a pin cannot be read", () =>
    assert.match(
      chooseBase("nodejs", "package.json", [engines("newest")], TODAY)?.reason ?? "",
      /; engines\.node newest in package\.json cannot be read$/,
    ));

  it("takes Java 17 on Amazon Linux 2023, and the OS-only base for a bootstrap", () => {
    const pin = { range: "17", source: "classes compiled for Java {}" };
    assert.equal(chooseBase("java", "a.class", [pin], TODAY)?.base, "java:17.al2023");
    assert.equal(chooseBase("provided", "bootstrap", [], TODAY)?.base, "provided:al2023");
  });
});

import { existsSync, statSync } from "node:fs";
import { type LambdaPackError, misuse } from "../../errors.ts";
import { nearest } from "../../lambda/nearest.ts";
import { COMMANDS } from "../commands.ts";
import { type Flag, flagForm, quote } from "./flags.ts";

/** Flags of other tools, and what to write instead. */
const OTHER_FLAGS: ReadonlyMap<string, string> = new Map([
  ["--push", "--push is not needed: --to DEST pushes"],
  ["--load", "there is no daemon: build with --to docker-archive:app.tar, then docker load -i app.tar"],
  ["--output", "write --to DEST"],
  ["-o", "write --to DEST"],
  ["--from", "write --base BASE"],
  ["--image", "write --base BASE"],
  ["--runtime", "write --base, for example --base python:3.12"],
  ["--architecture", "write --arch x86_64 or --arch arm64"],
  ["--architectures", "write --arch x86_64 or --arch arm64"],
  ["--compression-level", "write --level 1..9"],
  ["--debug", "write --verbose"],
  ["--silent", "write --quiet"],
  ["--watch", "lambda-pack does not watch files; run it again after a change"],
  ["--pull", "it is not needed: the base's tag is looked up in each build"],
  [
    "--cache-from",
    "leave it out: unchanged layers are reused; --reuse-from IMAGE names an image that has them",
  ],
  ["--cache-to", "leave it out: the cache directory keeps the layers, and --cache-dir DIR names it"],
  ["--provenance", "it is not needed: lambda-pack never adds an attestation, which Lambda would refuse"],
  ["--network", "leave it out: no command runs in the image while it is built"],
  ["--secret", "leave it out: no command runs in the image while it is built"],
  ["--ssh", "leave it out: no command runs in the image while it is built"],
  ["--squash", "it is not needed: the app and its dependencies are few layers"],
  ["--rm", "it is not needed: no containers are started"],
  ["--sbom", "it is not needed: lambda-pack never adds an attestation, which Lambda would refuse"],
]);

/** Commands of other tools, and what to type instead. */
const OTHER_COMMANDS: ReadonlyMap<string, string> = new Map([
  ["login", "no login is needed: the credentials of docker, podman and AWS are used as they are"],
  ["run", "lambda-pack invoke DIR runs a function on this machine"],
  ["serve", "lambda-pack dev DIR serves a function on this machine"],
  ["start", "lambda-pack dev DIR serves a function on this machine"],
  ["init", "no set-up is needed: lambda-pack build DIR builds an image"],
  ["pull", "lambda-pack push SOURCE oci:DIR copies an image to a directory"],
  ["copy", "lambda-pack push SOURCE DEST copies an image"],
  ["cp", "lambda-pack push SOURCE DEST copies an image"],
  ["tag", "lambda-pack push SOURCE DEST adds a tag"],
  ["package", "did you mean lambda-pack build?"],
  ["ls", "lambda-pack bases lists AWS's base images"],
  ["rm", "lambda-pack prune REPOSITORY deletes unused images"],
]);

/**
 * Reports a flag that the command does not have.
 * @param command undefined if the flag stands before the command
 */
export function unknownFlag(
  word: string,
  command: string | undefined,
  flags: readonly Flag[],
): LambdaPackError {
  const [name = word, value] = word.split("=", 2);
  if (command === undefined)
    return misuse(
      `${quote(name)} is not a flag of every command`,
      `write flags after the command: lambda-pack build ${name}`,
    );
  const known = flags.find((flag) => flag.name === name);
  if (known !== undefined)
    return misuse(`${name} takes no value, and has ${quote(value ?? "")}`, `write ${name}`);
  const message = `${command} has no flag ${name.slice(0, 80)}`;
  const other = OTHER_FLAGS.get(name);
  if (other !== undefined) return misuse(message, other);
  const near = nearestFlag(name, flags);
  return misuse(
    message,
    near === undefined ? `lambda-pack ${command} --help lists its flags` : `did you mean ${flagForm(near)}?`,
  );
}

function nearestFlag(name: string, flags: readonly Flag[]): Flag | undefined {
  const word = name.toLowerCase();
  const begun = word.length < 4 ? [] : flags.filter((flag) => flag.name.startsWith(word));
  if (begun.length === 1) return begun[0];
  const [near] = nearest(
    word,
    flags.map((flag) => flag.name),
    1,
  );
  // Many flags begin with the same letters, so being the nearest name is not enough.
  return flags.find((flag) => flag.name === near && sharesLetters(word, flag.name));
}

function sharesLetters(word: string, name: string): boolean {
  return nearest(word.replace(/^-+/, ""), [name.replace(/^-+/, "")], 1).length > 0;
}

export function unknownCommand(word: string): LambdaPackError {
  const message = `unknown command ${quote(word)}`;
  if (isDirectory(word)) return misuse(message, `did you mean lambda-pack build ${word}?`);
  const other = OTHER_COMMANDS.get(word);
  if (other !== undefined) return misuse(message, other);
  const [near] = nearest(
    word,
    COMMANDS.map(({ name }) => name),
    1,
  );
  return misuse(
    message,
    near === undefined ? "lambda-pack --help lists the commands" : `did you mean ${near}?`,
  );
}

/** Returns whether the word is a directory, or is spelled like one (`./app`) and does not exist. */
function isDirectory(word: string): boolean {
  if (/^\.{0,2}[/\\]|^\.{1,2}$/.test(word)) return !existsSync(word) || statSync(word).isDirectory();
  return existsSync(word) && statSync(word).isDirectory();
}

import manifest from "../../../package.json" with { type: "json" };
import { required } from "../../commands/options/read.ts";
import { choice } from "../../commands/options/types.ts";
import { flagsOf } from "../arguments/flags.ts";
import { defineCommand } from "../command.ts";

type Shell = "bash" | "zsh" | "fish";

export const completion = defineCommand({
  positionals: [{ option: "shell", name: "bash|zsh|fish", required: true, repeatable: false }],
  options: {
    shell: required(choice<Shell>(["bash", "zsh", "fish"]), "the shell that reads the script"),
  },
  examples: [
    { line: "source <(lambda-pack completion bash)", purpose: "in ~/.bashrc" },
    {
      line: "lambda-pack completion fish > ~/.config/fish/completions/lambda-pack.fish",
      purpose: "for fish",
    },
  ],
  async run({ shell = "bash" }, { commands: listed }) {
    const commands = await Promise.all(
      listed.map(async ({ name, summary, load }) => ({
        name,
        summary,
        flags: flagsOf(await load()).map((flag) => ({
          name: flag.name,
          summary: flag.option.summary,
          takesValue: flag.form.kind !== "switch",
        })),
      })),
    );
    return { text: () => SCRIPTS[shell](commands), json: { shell, script: SCRIPTS[shell](commands) } };
  },
});

interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly {
    readonly name: string;
    readonly summary: string;
    readonly takesValue: boolean;
  }[];
}

const SCRIPTS: Readonly<Record<Shell, (commands: readonly CompletedCommand[]) => string>> = {
  bash: (commands) => `_lambda_pack() {
  local word=\${COMP_WORDS[COMP_CWORD]} words
  case \${COMP_CWORD}:\${COMP_WORDS[1]} in
    1:*) words="${commands.map(({ name }) => name).join(" ")}" ;;
${commands.map(({ name, flags }) => `    *:${name}) words="${flags.map((flag) => flag.name).join(" ")}" ;;\n`).join("")}  esac
  if [[ $COMP_CWORD -eq 1 || $word == -* ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  else
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}
complete -o filenames -F _lambda_pack lambda-pack
`,
  zsh: (commands) => `#compdef lambda-pack
_lambda_pack() {
  if (( CURRENT == 2 )); then
    local -a commands=(
${commands.map(({ name, summary }) => `      ${quoted(`${name}:${summary}`)}\n`).join("")}    )
    _describe command commands
    return
  fi
  case $words[2] in
${commands.map(({ name, flags }) => `    ${name}) _arguments ${flags.map(zshFlag).join(" ")} '*:file:_files' ;;\n`).join("")}  esac
}
compdef _lambda_pack lambda-pack
`,
  fish: (commands) =>
    commands
      .flatMap(({ name, summary, flags }) => [
        `complete -c lambda-pack -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
        ...flags.map(
          (flag) =>
            `complete -c lambda-pack -n '__fish_seen_subcommand_from ${name}' -l ${flag.name.slice(2)}${flag.takesValue ? " -r" : ""} -d ${quoted(flag.summary)}`,
        ),
      ])
      .map((line) => `${line}\n`)
      .join(""),
};

function zshFlag({ name, summary, takesValue }: CompletedCommand["flags"][number]): string {
  const description = summary.replaceAll(/[[\]:]/g, " ");
  return quoted(`*${name}[${description}]${takesValue ? ":value:_files" : ""}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

export const version = defineCommand({
  positionals: [],
  options: {},
  examples: [],
  run: async () => ({ text: () => `${manifest.version}\n`, json: { version: manifest.version } }),
});

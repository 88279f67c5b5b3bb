// Checks a folder of Terraform without Terraform: HashiCorp's parser and formatter, and that every name that is used is there.
//   node check.js FOLDER     prints what is wrong, a line each; exits 1 if anything is
const fs = require("node:fs");
const path = require("node:path");
const { parse } = require("@cdktf/hcl2json");
const { format } = require("@cdktf/hcl-tools");

const folder = process.argv[2];
const findings = [];
const declared = new Set();
const used = new Map();

async function main() {
  const files = fs.readdirSync(folder).filter((name) => name.endsWith(".tf")).sort();
  if (files.length === 0) findings.push(`${folder} has no .tf file`);
  for (const name of files) {
    const text = fs.readFileSync(path.join(folder, name), "utf8");
    let parsed;
    try {
      parsed = await parse(name, text);
    } catch (error) {
      findings.push(`${name} does not parse: ${String(error.message ?? error).split("\n")[0]}`);
      continue;
    }
    if ((await format(text)).trimEnd() !== text.trimEnd()) findings.push(`${name} is not formatted as terraform fmt would`);
    declare(parsed);
    // A variable's validation names the variable, which is no use of it.
    walk(name, { ...parsed, variable: undefined });
  }
  for (const [name, where] of used) if (!declared.has(name)) findings.push(`${where} uses ${name}, which nobody declares`);
  for (const name of declared) if (name.startsWith("var.") && !used.has(name)) findings.push(`${name} is used by nobody`);
  policies();
}

function declare(parsed) {
  for (const name of Object.keys(parsed.variable ?? {})) declared.add(`var.${name}`);
  for (const block of [parsed.locals ?? []].flat()) for (const name of Object.keys(block)) declared.add(`local.${name}`);
  for (const [type, named] of Object.entries(parsed.resource ?? {})) for (const name of Object.keys(named)) declared.add(`${type}.${name}`);
  for (const [type, named] of Object.entries(parsed.data ?? {})) for (const name of Object.keys(named)) declared.add(`data.${type}.${name}`);
  for (const [name, [variable]] of Object.entries(parsed.variable ?? {})) {
    if (!variable.description) findings.push(`var.${name} has no description`);
    if (!variable.type) findings.push(`var.${name} has no type`);
  }
  for (const [name, [output]] of Object.entries(parsed.output ?? {})) if (!output.description) findings.push(`output ${name} has no description`);
}

function walk(where, value) {
  if (typeof value === "string") text(where, value);
  else if (Array.isArray(value)) value.forEach((one) => walk(where, one));
  else if (value && typeof value === "object") Object.values(value).forEach((one) => walk(where, one));
}

function text(where, value) {
  // $${ is a ${ for somebody else.
  for (const expression of value.replaceAll(/\$\$\{[^}]*\}/g, "").matchAll(/\$\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}/g)) {
    const code = expression[1].replaceAll(/"(?:[^"\\]|\\.)*"/g, (quoted) => ([...quoted.matchAll(/\$\{([^}]*)\}/g)].map((inner) => inner[1]).join(" ") || '""'));
    for (const name of code.matchAll(/\b(var\.\w+|local\.\w+|data\.\w+\.\w+|(?<!data\.)\baws_\w+\.\w+)/g)) used.set(name[1], where);
  }
}

// A policy of ../iam that nothing fills in would be granted to nobody; a placeholder without a value ends in an error on the first run.
function policies() {
  const iam = path.join(folder, "..", "iam");
  const all = fs.readdirSync(folder).filter((name) => name.endsWith(".tf")).map((name) => fs.readFileSync(path.join(folder, name), "utf8")).join("\n");
  const account = all.match(/account = \{([^}]*)\}/)?.[1] ?? "";
  for (const name of fs.readdirSync(iam).filter((file) => file.endsWith(".json"))) {
    const calls = [...all.matchAll(new RegExp(`templatefile\\("\\$\\{path\\.module\\}/\\.\\./iam/${name.replace(".", "\\.")}", ([\\s\\S]*?\\))`, "g"))];
    if (calls.length === 0) findings.push(`iam/${name} is filled in by nobody`);
    for (const placeholder of fs.readFileSync(path.join(iam, name), "utf8").matchAll(/\$\{(\w+)\}/g)) {
      for (const call of calls) {
        if (!new RegExp(`\\b${placeholder[1]}\\s+=`).test(call[1] + account)) findings.push(`iam/${name} wants ${placeholder[1]}, which is not given`);
      }
    }
  }
  for (const call of all.matchAll(/templatefile\("\$\{path\.module\}\/([^"]+)"/g)) if (!fs.existsSync(path.join(folder, call[1]))) findings.push(`there is no ${call[1]}`);
}

main().then(() => {
  for (const finding of new Set(findings)) console.log(finding);
  process.exit(findings.length > 0 ? 1 : 0);
});

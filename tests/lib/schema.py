"""schema.py EVMEND TMP - holds the schemas of docs/schema against files that are right and files that are wrong."""
import glob, json, subprocess, sys
import jsonschema, yaml

evmend, tmp = sys.argv[1:]
bad = False


class Text(yaml.SafeLoader):
    """Dates stay text, as editors and evmend read them."""


Text.yaml_implicit_resolvers = {
    letter: [r for r in kinds if r[0] != "tag:yaml.org,2002:timestamp"] for letter, kinds in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def tell(good, what, why=""):
    global bad
    bad = bad or not good
    print(f"ok {what}" if good else f"not ok {what}: {why}")


def validator(name):
    with open(f"docs/schema/{name}.schema.json", encoding="utf-8") as f:
        schema = json.load(f)
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def documents(path):
    with open(path, encoding="utf-8") as f:
        return [d for d in yaml.load_all(f, Text) if d is not None]


def all_right(what, schema, paths):
    faults = [f"{p}: {e.message[:200]}" for p in paths for d in documents(p) for e in schema.iter_errors(d)]
    tell(paths and not faults, f"{len(paths)} {what}", faults[0] if faults else "there are none")


def all_wrong(what, schema, path, command):
    texts = open(path, encoding="utf-8").read().split("\n---\n")
    taken, silent = [], []
    for i, text in enumerate(texts):
        if schema.is_valid(yaml.load(text, Text)):
            taken.append(text)
        part = f"{tmp}/part{i}.yml"
        with open(part, "w", encoding="utf-8") as f:
            f.write(text + "\n")
        ended = subprocess.run([evmend, *command, part], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
        if ended not in (2, 3):
            silent.append(f"ended with {ended}: {text}")
    tell(len(texts) > 20 and not taken, f"the schema refuses {len(texts)} wrong {what}", taken[:1])
    tell(not silent, f"the program refuses {len(texts)} wrong {what}", silent[:1])


rule, config = validator("rule"), validator("config")
all_right("files of our rules fit the schema", rule, sorted(glob.glob("rules/exchange/*.yml")))
all_right("examples of rules fit the schema", rule, sorted(glob.glob(f"{tmp}/rules-*.yml") + glob.glob(f"{tmp}/sigma-*.yml")))
all_right("examples of configurations fit the schema", config, ["config.example.yaml"] + sorted(glob.glob(f"{tmp}/configuration-*.yml")))
all_wrong("rules", rule, "tests/data/schema/wrong-rules.yml", ["rules", "check", "--strict"])
all_wrong("configurations", config, "tests/data/schema/wrong-configs.yml", ["check", "-c"])
sys.exit(bad)

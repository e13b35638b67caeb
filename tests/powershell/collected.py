"""collected.py - collect.ps1's own course, on a server of Python, writes a facts.json; `evmend diagnose --from` reads it as docs/offline.md
says. So a member that the two call differently is found without Windows. EVMEND names the program."""
import base64
import datetime
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

from evaluate import Raised, Shell, Table

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
EVMEND = os.environ.get("EVMEND", os.path.join(ROOT, "build/evmend"))
DATA = os.path.join(ROOT, "tests/data/offline/stores")
APPID = "{4dc3e181-e14b-4a21-b022-59fc669b0914}"
good = True


def check(name, right, why=""):
    global good
    good = good and bool(right)
    print(f"ok {name}" if right else f"not ok {name}: {why}")


def der(name):
    raw = open(os.path.join(DATA, "certs/MY", name + ".cer"), "rb").read()
    return base64.b64decode(b"".join(raw.split(b"-----")[2].split())) if raw.startswith(b"-----") else raw


class Certificate:
    def __init__(self, name, friendly):
        self.RawData = der(name)
        self.Thumbprint = hashlib.sha1(self.RawData).hexdigest().upper()
        self.FriendlyName, self.Subject = friendly, "CN=" + friendly


class Element:
    def __init__(self, e):
        self.e = e

    def GetAttribute(self, name):
        return self.e.get(name, "")

    def SelectNodes(self, path):
        path = path.replace("/configuration/", "./") if path.startswith("/configuration/") else "." + path if path.startswith("//") else path
        return [Element(x) for x in self.e.findall(path)]


OWN, PUBLIC = Certificate("own", "Microsoft Exchange"), Certificate("public", "mail")
NOW = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=30)


def pem(raw):
    return "-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(raw).decode() + "-----END CERTIFICATE-----\n"


def netsh(thumbprint):
    rows = [("0.0.0.0:443", PUBLIC.Thumbprint), ("0.0.0.0:444", thumbprint)]
    return [x for e, t in rows for x in ("", f"    IP:port : {e}", f"    Hash : {t.lower()}", f"    App : {APPID}", "    Store : MY")]


def stubs(written, **how):
    """What the functions of look.ps1 ask Windows for, answered by this server of Python."""
    answer = how.get("answer", Table(tcp="ok", tls="ok", alert=0, detail="", took_ms=3, tls_version="TLSv1.2", cipher="Aes256"))

    def fails(what):
        raise Raised(what)

    def probe(address, port, name, version, path, ms):
        to = Table(answer)
        if to["tls"] == "ok":
            to["leaf"] = pem((how.get("back", OWN) if port == 444 else PUBLIC).RawData)
            if path:
                to["http_status"], to["answer_header"] = 200, "X-BEServer: EX1"
        return to

    return {
        "Get-ServerIdentity": lambda: Table(netbios="EX1", fqdn="ex1.contoso.example", exchange=True, backend_port=444, frontend_port=443,
                                            addresses=["127.0.0.1", "::1", "ex1.contoso.example"], version="15.2.1544.4"),
        "Get-SslText": lambda: netsh(how.get("record", OWN).Thumbprint) if not how.get("no_netsh") else fails("netsh said nothing"),
        "Get-MachineValue": lambda key, name: None,
        "Get-StoreCertificate": lambda store: how.get("my", [OWN, PUBLIC]) if store == "MY" else [],
        "Get-KeyFact": lambda c: Table(has_key=True, csp=True, provider="Microsoft RSA SChannel Cryptographic Provider", container="x",
                                       exportable=False, key_opens=True, key_matches=True),
        "ConvertTo-Pem": pem,
        "ConvertTo-UtcText": lambda t: t.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "Get-Date": lambda: NOW,
        "Read-XmlText": lambda t: Element(xml.fromstring(t)),
        "Get-AppcmdText": lambda what: '<appcmd><SITE SITE.NAME="Exchange Back End" state="Started"/><SITE SITE.NAME="Default Web Site" '
                                       'state="Started"/></appcmd>' if what == "site" else
                                       '<appcmd><APPPOOL APPPOOL.NAME="MSExchangeOWAAppPool" state="Started"/></appcmd>',
        "Get-ServiceFact": lambda: [Table(name="W3SVC", running=True), Table(name="HTTP", running=True)],
        "Get-SettingFact": lambda: Table(allow_internal_untrusted=True, tls_protocols="nothing set"),
        "Get-TransportCertificate": lambda: fails("no domain controller"), "Get-BusyFact": lambda: Table(state="free", what="nothing"),
        "Get-BootFact": lambda: Table(time="2026-11-01T00:00:00.000000Z"), "Invoke-Probe": probe, "Save-Log": lambda log, file: None,
        "Invoke-HopProbe": lambda a, n, p, ms: probe(a, 443, n, "default", p, ms), "Write-Log": lambda t: None,
        "Join-Path": lambda a, b: a + "/" + b, "New-Item": lambda **k: None, "New-Object": lambda *a: None,
        "ConvertTo-Json": lambda **k: json.dumps(k["inputobject"], indent=1),
        "[io.file]::copy": lambda *a: None, "[io.file]::writealllines": lambda *a: None, "[regex]::escape": lambda t: t,
        "[io.file]::readalltext": lambda p: open(os.path.join(DATA, "applicationHost.config")).read().split("?>", 1)[1],
        "[io.file]::writealltext": lambda path, text, code: written.update({path: text}),
    }


def collect(folder, **how):
    """Runs Invoke-Collect; the facts that it wrote."""
    shell = Shell(os.path.join(ROOT, "scripts/collect.ps1"))
    written = {}
    for name, value in {"BackEndSite": "Exchange Back End", "BackEndPath": "/owa/exhealth.check", "OutDir": folder, "Problems": [],
                        "IisConfig": "applicationHost.config", "Hours": 72, "MostEvents": 10,
                        "Facts": Table(evmend_folder=1, tool="collect.ps1 0.1", collected_at="")}.items():
        shell.set(name, value)
    for name, function in stubs(written, **how).items():
        shell.give(name, function)
    shell.call("Invoke-Collect")
    with open(os.path.join(folder, "facts.json"), "w", encoding="utf-8") as f:
        f.write(written[folder + "/facts.json"])
    return json.loads(written[folder + "/facts.json"])


def diagnose(name, verdict, steps, **how):
    with tempfile.TemporaryDirectory() as folder:
        facts = collect(folder, **how)
        run = subprocess.run([EVMEND, "diagnose", "--from", folder, "--json"], capture_output=True, text=True, check=False)
        try:
            said = json.loads(run.stdout.splitlines()[-1])
        except (IndexError, ValueError):
            said = {}
        got = said.get("verdict", {}).get("name")
        did = [s["step"]["kind"] for s in said.get("plan", {}).get("steps", [])]
        check(f"collected: {name}", got == verdict and did == steps, (got, did, run.stderr[:300], said.get("verdict", {}).get("not_excluded")))
        return facts, said


RESET = Table(tcp="ok", tls="reset", alert=0, detail="", took_ms=3)


def main():
    facts_, said_ = diagnose("a healthy server", "HEALTHY_NOW", [])
    lacks = [f["name"] for f in said_.get("facts", []) if f["value"] == "unknown" and not f["name"].startswith(("itc", "smtp", "record_"))]
    check("collected: nothing but SMTP's side stays unknown", not lacks, lacks)
    check("collected: what failed is named", facts_["errors"] == ["internal transport certificate (Active Directory): no domain controller"], facts_["errors"])
    diagnose("a deleted certificate, none left", "BE_CERT_DELETED", ["cert_create", "record_set"], my=[PUBLIC], answer=RESET)
    diagnose("still served from the cache", "BE_CERT_LATENT", ["cert_create", "record_set"], my=[PUBLIC])
    diagnose("the public one on 444", "BE_CERT_FOREIGN", ["record_set"], record=PUBLIC, back=PUBLIC)
    facts_, said_ = diagnose("a table that cannot be read", "UNKNOWN", [], no_netsh=True, answer=RESET)
    check("collected: what cannot be read is left out", "records" not in facts_ and facts_["errors"][0].startswith("HTTP.SYS"), facts_.get("errors"))


if __name__ == "__main__":
    main()
    sys.exit(0 if good else 1)

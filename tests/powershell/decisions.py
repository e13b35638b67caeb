"""decisions.py - what our PowerShell decides, run by evaluate.py on recorded output and on a server made of Python: what netsh said,
which values are refused, what is put back when a step fails, when a repair stops. Prints "ok NAME" and "not ok NAME: why"."""
import os
import sys

from evaluate import Raised, Shell, Table, text_of

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SCRIPTS = os.path.join(ROOT, "scripts")
OLD, NEW, PUBLIC = "a1" * 20, "b2" * 20, "c3" * 20
APPID = "{4dc3e181-e14b-4a21-b022-59fc669b0914}"
results = []


def check(name, good, why=""):
    results.append(bool(good))
    print(f"ok {name}" if good else f"not ok {name}: {why}")


def part(*names):
    shell = Shell(*[os.path.join(SCRIPTS, n) for n in names])
    for name, value in {"BackEndSite": "Exchange Back End", "BackEndEndpoint": "0.0.0.0:444", "BackEndPath": "/owa/exhealth.check",
                        "NetshExe": "netsh", "AppcmdExe": "appcmd", "CertutilExe": "certutil", "System32": "C:\\Windows\\System32"}.items():
        shell.set(name, value)
    return shell


LOOK, ACT = "powershell/look.ps1", "powershell/act.ps1"


def thrown(function):
    """(kind, text) of what it throws, or None."""
    try:
        function()
    except Raised as x:
        return (x.kind or "", str(x))
    return None


# ---- netsh, in any language ----

ENGLISH = """
SSL Certificate bindings:
-------------------------

    IP:port                      : 0.0.0.0:443
    Certificate Hash             : {public}
    Application ID               : {appid}
    Certificate Store Name       : My
    Verify Client Certificate Revocation : Enabled
    Usage Check                  : Enabled
    Revocation Freshness Time    : 0
    URL Retrieval Timeout        : 0
    Ctl Identifier               : (null)
    Ctl Store Name               : (null)
    DS Mapper Usage              : Disabled
    Negotiate Client Certificate : Disabled

    IP:port                      : 127.0.0.1:443
    Certificate Hash             : {public}
    Application ID               : {appid}
    Certificate Store Name       : (null)
    Revocation Freshness Time    : 0

    IP:port                      : [::]:444
    Certificate Hash             : {old}
    Application ID               : {appid}
    Certificate Store Name       : WebHosting

    Hostname:port                : mail.contoso.example:443
    Certificate Hash             : {public}
    Application ID               : {appid}
    Certificate Store Name       : MY

    Central Certificate Store    : 443
    Certificate Hash             : (null)
    Application ID               : {appid}
    Certificate Store Name       : (null)

    IP:port                      : 0.0.0.0:444
    Certificate Hash             : {upper}
    Application ID               : {appid}
    Certificate Store Name       : MY
    Negotiate Client Certificate : Disabled
"""
GERMAN = """
SSL-Zertifikatbindungen:
-------------------------

    IP:Port                      : 0.0.0.0:444
    Zertifikathash               : {old}
    Anwendungs-ID                : {appid}
    Zertifikatspeichername       : My
    Clientzertifikatssperre \xfcberpr\xfcfen : Aktiviert
    Sperrpr\xfcfungszeit         : 0
    URL-Abrufzeit\xfcberschreitung : 0
    Steuerelement-ID             : (NULL)
"""
FRENCH = """
Liaisons de certificat SSL :
-------------------------

    IP:port                      : 0.0.0.0:444
    Hachage du certificat        : {old}
    ID de l'application          : {appid}
    Nom du magasin de certificats : MY
    V\xe9rifier la r\xe9vocation des certificats clients : activ\xe9
    D\xe9lai d'actualisation : 0
"""


def lines(text):
    return text.format(old=OLD, upper=OLD.upper(), public=PUBLIC, appid=APPID).split("\n")


def test_netsh():
    shell = part(LOOK)
    rows = shell.list("Read-SslText", lines(ENGLISH))
    seen = [(r["endpoint"], r["port"], r["thumbprint"], r["store"], r["sni"], r["ccs"]) for r in rows]
    check("netsh in English", seen == [
        ("0.0.0.0:443", 443, PUBLIC, "My", False, False), ("127.0.0.1:443", 443, PUBLIC, "MY", False, False),
        ("[::]:444", 444, OLD, "WebHosting", False, False), ("mail.contoso.example:443", 443, PUBLIC, "MY", True, False),
        ("443", 443, None, "MY", False, True), ("0.0.0.0:444", 444, OLD, "MY", False, False)], seen)
    for language, text in (("German", GERMAN), ("French", FRENCH)):
        rows = shell.list("Read-SslText", lines(text))
        seen = [(r["endpoint"], r["thumbprint"], r["appid"], r["store"].upper()) for r in rows]
        check(f"netsh in {language}", seen == [("0.0.0.0:444", OLD, APPID, "MY")], seen)
    check("netsh has nothing to say", shell.list("Read-SslText", ["", "The system cannot find the file specified.", ""]) == [])
    folder = os.path.join(ROOT, "tests/data/offline")
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name, "netsh-sslcert.txt")
        if not os.path.exists(path):
            continue
        raw = open(path, "rb").read()
        text = raw.decode("utf-16") if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else raw.decode("latin-1")
        expected = [x.split()[1] for x in open(os.path.join(folder, name + ".expected")) if x.startswith("record:")]
        seen = [r["thumbprint"] for r in shell.list("Read-SslText", text.splitlines()) if r["endpoint"] == "0.0.0.0:444"]
        check(f"netsh's text of the folder {name}, as the program reads it", seen == expected, (seen, expected))
    shell.give("Get-MachineValue", lambda key, name: 2 if key.endswith("0.0.0.0:444") else None)
    rows = shell.list("Get-SslRecord", lines(ENGLISH))
    check("flags come from where HTTP.SYS keeps them", [r["flags"] for r in rows] == [None, None, None, None, None, 2], rows)
    cut = [x for x in lines(GERMAN) if OLD not in x]
    check("a record without a thumbprint is no record", thrown(lambda: shell.list("Get-SslRecord", cut)))


def test_small_readers():
    shell = part(LOOK)
    answer = shell.call("Read-HttpAnswer", "HTTP/1.1 200 OK\r\nServer: x\r\nX-BEServer: EX1\r\nX-FEServer: EX1\r\n\r\nX-BEServer: no")
    check("an HTTP answer", (answer["status"], answer["header"]) == (200, "X-BEServer: EX1\nX-FEServer: EX1"), answer)
    check("no HTTP answer", shell.call("Read-HttpAnswer", "SSH-2.0-x\r\n\r\n")["status"] == 0)
    text = ["Microsoft RSA SChannel Cryptographic Provider:", "  Exchange key", "  " + "0a" * 16 + "_12345678-1234-1234-1234-123456789012",
            "  RSA", "", "  tp-1", "  " + "1b" * 16 + "_12345678-1234-1234-1234-123456789012", "CertUtil: -key"]
    check("containers of certutil -key", shell.list("Read-ContainerText", text) == ["Exchange key", "tp-1"])
    for status, header, tls, expected in (
            (200, "X-BEServer: EX1", "ok", "ok"), (500, "X-CalculatedBETarget: ex1", "ok", "ok"), (302, "", "ok", "error"),
            (302, "X-CalculatedBETarget: ex1", "ok", "error"), (401, "X-FEServer: EX1", "ok", "error"), (500, "", "ok", "error"),
            (0, "", "reset", "reset")):
        shell.give("Invoke-Probe", lambda *a, s=status, h=header, t=tls: Table(
            tcp="ok", tls=t, http_status=s, answer_header=h, detail=""))
        got = shell.call("Invoke-HopProbe", "127.0.0.1", "ex1", "/x", 1000)["tls"]
        check(f"the hop: {status} {header} {tls}", got == expected, got)


class Thing:
    """An object of .NET: members by name; net is its type, in small letters, without the namespace."""

    def __init__(self, net="", **members):
        self.net, self.gone = net, 0
        self.__dict__.update(members)

    def Dispose(self):
        self.gone += 1


def throws(kind, text="no"):
    def f(*a, **k):
        raise Raised(text, kind)
    return f


RSA = "[security.cryptography.x509certificates.rsacertificateextensions]::getrsa"


def test_keys():
    """.NET 4.6 and later show a CSP's key as RSACng, too: only the certificate's own word tells the two apart."""
    sign = {"SignHash": lambda *a: None, "ExportParameters": lambda private: Table(Modulus="m")}
    info = Table(ProviderName="Microsoft RSA SChannel Cryptographic Provider", KeyContainerName="evmend-plan-1", UniqueKeyContainerName="f",
                 Exportable=False)
    for csp, name in ((True, "a CSP's"), (False, "CNG's")):
        shell = part(LOOK, ACT)
        own = Thing("rsacryptoserviceprovider", CspKeyContainerInfo=info, **sign)
        cng = Thing("rsacng", Key=Table(Provider=Table(Provider="Microsoft Software Key Storage Provider"), KeyName="evmend-plan-1", UniqueName="f",
                                        ExportPolicy=0), **sign)
        certificate = Thing(HasPrivateKey=True, Thumbprint=NEW.upper(),
                            get_PrivateKey=(lambda k=own: k) if csp else throws("CryptographicException"))
        for what, f in ((RSA + "privatekey", lambda c, k=cng: k), (RSA + "publickey", lambda c: Thing(**sign)), ("New-Object", lambda *a: "zeros"),
                        ("ConvertTo-Hex", lambda b: b), ("Test-KeyFile", lambda f: True), ("Get-StoreCertificate", lambda s, c=certificate: [c]),
                        ("[security.cryptography.hashalgorithmname]::sha1", lambda: 1),
                        ("[security.cryptography.rsasignaturepadding]::pkcs1", lambda: 1)):
            shell.give(what, f)
        for _ in range(2):
            got = shell.call("Get-KeyFact", certificate)
            check(f"{name} key is told as such", (got["csp"], got["key_opens"], got["key_matches"], got["exportable"]) == (csp, True, True, False) and
                  ("SChannel" in got["provider"]) == csp, got)
        check(f"{name} key: the certificate's own object stays", (own.gone, cng.gone) == ((0, 0) if csp else (0, 2)), (own.gone, cng.gone))
        check(f"{name} key: ours is found by its container", shell.call("Find-OurCertificate", "plan-1") is certificate and
              shell.call("Find-OurCertificate", "plan-2") is None)
        shell.give("Test-KeyFile", lambda f: False)
        got = shell.call("Get-KeyFact", certificate)
        check(f"{name} key that the system may not read", (got["key_opens"], got["key_denied"]) == (False, True), got)


def test_key_file():
    shell = part(LOOK)
    for what, f in (("[environment]::getfolderpath", lambda n: "C:/ProgramData"), ("Join-Path", lambda a, b: a + "/" + b),
                    ("Test-Path", lambda **k: "MachineKeys" in k["literalpath"] and k["literalpath"].endswith("/there")),
                    ("[security.accesscontrol.filesystemrights]::readdata", lambda: 1)):
        shell.give(what, f)
    system, admins, me, everyone = "S-1-5-18", "S-1-5-32-544", "S-1-5-21-1-2-3-500", "S-1-1-0"
    for name, rules, expected in (
            ("SYSTEM", [(system, 1, "Allow")], True), ("Administrators, of whom SYSTEM is one", [(me, 1, "Allow"), (admins, 3, "Allow")], True),
            ("only somebody else", [(me, 1, "Allow")], False), ("nobody", [], False), ("a right that is not to read", [(system, 2, "Allow")], False),
            ("denied before it is allowed", [(everyone, 1, "Deny"), (system, 1, "Allow")], False),
            ("denied to Administrators", [(admins, 1, "Deny"), (system, 1, "Allow")], False),
            ("allowed before what is inherited denies", [(system, 1, "Allow"), (everyone, 1, "Deny")], True),
            ("another right denied", [(system, 2, "Deny"), (system, 1, "Allow")], True),
            ("somebody else denied", [(me, 1, "Deny"), (system, 1, "Allow")], True)):
        list_ = [Table(IdentityReference=Table(Value=w), FileSystemRights=r, AccessControlType=t) for w, r, t in rules]
        shell.give("Get-Acl", lambda r=list_, **k: Thing(GetAccessRules=lambda *a: r))
        check(f"key file: {name}", shell.call("Test-KeyFile", "there") is expected)
    check("key file: none", shell.call("Test-KeyFile", "gone") is None and shell.call("Test-KeyFile", "") is None)


def test_surroundings():
    for name, version, bits, admin, says in (("PowerShell 7", 7, True, True, "powershell.exe"), ("5.1", 5, True, True, None),
                                             ("4.0", 4, True, True, None), ("32 bit", 5, False, True, "32-bit"), ("not elevated", 5, True, False, "elevated")):
        shell = part(LOOK)
        shell.set("PSVersionTable", Table(PSVersion=Table(Major=version)))
        shell.give("[environment]::is64bitprocess", lambda b=bits: b)
        shell.give("[security.principal.windowsidentity]::getcurrent", lambda: "me")
        shell.give("[security.principal.windowsbuiltinrole]::administrator", lambda: "admin")
        shell.give("New-Object", lambda *a, y=admin: Thing(IsInRole=lambda r: y))
        was = thrown(lambda: shell.call("Assert-Surroundings"))
        check(f"surroundings: {name}", (was is None) if says is None else (was and says in was[1]), was)


def test_busy():
    """Windows Installer's lock: there, held, idle, left by one that died, or not to be opened."""
    class Lock(Thing):
        def __init__(self, wait):
            super().__init__(released=0)
            self.WaitOne = wait

        def ReleaseMutex(self):
            self.released += 1

    for name, there, free, released in (
            ("no lock", throws("WaitHandleCannotBeOpenedException"), True, None), ("not to be opened", throws("System.UnauthorizedAccessException"), False, None),
            ("held", Lock(lambda ms: False), False, 0), ("idle", Lock(lambda ms: True), True, 1),
            ("left by one that died", Lock(throws("AbandonedMutexException")), True, 1)):
        shell = part(LOOK)
        shell.give("Get-Process", lambda *a, **k: None)
        shell.give("Test-MachineKey", lambda k: False)
        shell.give("[threading.mutex]::openexisting", there if callable(there) else lambda n, m=there: m)
        shell.give("[microsoft.win32.registrykey]::openbasekey", lambda *a: Thing(OpenSubKey=lambda k: None))
        got = shell.call("Get-BusyFact")
        check(f"Windows Installer: {name}", got["state"] == ("free" if free else "installing") and (
            released is None or (there.released, there.gone) == (released, 1)), got)


# ---- types ----

def test_types():
    shell = part(LOOK, ACT)
    bad = ["", " ", "x\n", "\nx", "a'b", "a\u2019b", "a`b", "$(x)", "a b;c", 'a"b', "..\\x", "a/b"]
    good = {"Assert-Thumbprint": [OLD, OLD.upper()], "Assert-AppId": [APPID], "Assert-Store": ["MY", "WebHosting"],
            "Assert-HostName": ["EX1", "ex1.contoso.example", "a"], "Assert-Token": ["plan-6da4", "r.1_2"], "Assert-Endpoint": ["0.0.0.0:444"],
            "Assert-Site": ["Exchange Back End"]}
    also = {"Assert-Thumbprint": [OLD[:-1], OLD + "a", OLD + "\n", "g" * 40], "Assert-AppId": [APPID[1:-1], APPID + "\n", APPID + " "],
            "Assert-Store": ["My Store", "1A", "MY\n", "A" * 64], "Assert-HostName": ["-a", "a.", "ex_1", "a" * 256, "ex1\n", "\xe4.de"],
            "Assert-Token": ["-x", "a" * 90, "x\n"],
            "Assert-Endpoint": ["0.0.0.0:443", "127.0.0.1:443", "[::]:444", "0.0.0.0:4444", "0.0.0.0:444 ", "0.0.0.0:444\n"],
            "Assert-Site": ["Default Web Site", "exchange back end", "Exchange Back End\n"]}
    for function, values in good.items():
        wrong = [v for v in values if thrown(lambda v=v, f=function: shell.call(f, v))]
        check(f"{function} takes what is right", not wrong, wrong)
        wrong = [v for v in bad + also[function] if (thrown(lambda v=v, f=function: shell.call(f, v)) or ("",))[0] != "bad_call"]
        check(f"{function} refuses what is not", not wrong, wrong)


# ---- a server of Python ----

class Server:
    def __init__(self, old=OLD, flags=None, odd=""):
        self.records = {"0.0.0.0:443": (PUBLIC, "MY")}
        if old:
            self.records["0.0.0.0:444"] = (old, "MY")
        self.store = {("MY", OLD), ("MY", NEW), ("MY", PUBLIC)}
        self.broken = set()
        self.fail = {}      # how many calls of "add", "delete" go wrong, and how
        self.said = []
        self.flags, self.odd, self.container = flags, odd, {}
        shell = self.shell = part(LOOK, ACT)
        shell.give("Get-SslText", lambda: None)
        shell.give("Get-SslRecord", lambda *a: None)
        shell.functions.pop("get-sslrecord")
        shell.functions.pop("find-backendrecord")
        shell.give("Find-BackEndRecord", self.find)
        shell.give("Find-StoreCertificate", lambda store, t: Table(Thumbprint=t, store=store) if (store, t) in self.store else None)
        shell.give("Get-KeyFact", lambda c: Table(has_key=True, key_opens=c["Thumbprint"] not in self.broken,
                                                  container=self.container.get(c["Thumbprint"], "x")))
        shell.give("Get-OddSetting", lambda e: self.odd)
        shell.give("Invoke-Native", self.native)
        shell.give("Read-SslText", lambda *a: [Table(endpoint=e, thumbprint=r[0]) for e, r in self.records.items()])
        shell.give("Remove-Item", lambda **k: self.said.append(("Remove-Item", k)))

    def find(self):
        if "0.0.0.0:444" not in self.records:
            return None
        t, store = self.records["0.0.0.0:444"]
        r = Table(endpoint="0.0.0.0:444", thumbprint=t, store=store, appid=APPID)
        if self.flags is not None:
            r["flags"] = self.flags
        return r

    def native(self, program, arguments):
        self.said.append((program, arguments))
        verb = arguments[1]
        how = self.fail.get(verb, [])
        wrong = how.pop(0) if how else None
        values = dict(a.split("=", 1) for a in arguments[3:])
        if values["ipport"] != "0.0.0.0:444":
            raise AssertionError(arguments)
        if wrong == "fails":
            return Table(Lines=["Error: 1312"], Code=1)
        if wrong != "lies":
            if verb == "delete":
                if not self.records.pop("0.0.0.0:444", None):
                    return Table(Lines=["Error: 2"], Code=1)
            elif "0.0.0.0:444" in self.records:
                return Table(Lines=["Error: 183"], Code=1)
            else:
                self.records["0.0.0.0:444"] = (values["certhash"], values["certstorename"])
        return Table(Lines=["ok"], Code=0)

    def set(self, thumbprint=NEW, store="MY", flags=0):
        return thrown(lambda: self.shell.call("Set-BackEndRecord", thumbprint, store, APPID, flags))

    def shows(self):
        return self.records.get("0.0.0.0:444", (None,))[0]


def test_record():
    s = Server()
    check("the record is set", s.set() is None and s.shows() == NEW and [a[1] for _, a in s.said] == ["delete", "add"], s.said)
    check("netsh gets a list of arguments", s.said[1][1] == [
        "http", "add", "sslcert", "ipport=0.0.0.0:444", "certhash=" + NEW, "appid=" + APPID, "certstorename=MY"], s.said[1])
    s = Server(old=None)
    check("a record where there was none", s.set() is None and s.shows() == NEW and len(s.said) == 1)
    s = Server()
    s.set(flags=3)
    check("flags that netsh can write are written", s.said[1][1][-2:] == ["dsmapperusage=enable", "clientcertnegotiation=enable"], s.said)
    for name, server, arguments in (
            ("a certificate that is not there", Server(), ("d4" * 20, "MY", 0)), ("a wrong store", Server(), (NEW, "WebHosting", 0)),
            ("flags that netsh cannot write", Server(), (NEW, "MY", 4)), ("flags of the old record that netsh cannot write", Server(flags=4), (NEW, "MY", 0)),
            ("a setting that would be lost", Server(odd="x is 1"), (NEW, "MY", 0)), ("a thumbprint of 39 digits", Server(), (NEW[:-1], "MY", 0)),
            ("a store with a quote", Server(), (NEW, "MY'", 0))):
        was = server.set(*arguments)
        check(f"refused before anything is deleted: {name}", was and server.shows() == OLD and not server.said, (was, server.said))
    s = Server()
    s.broken.add(NEW)
    check("refused before anything is deleted: a key that does not open", s.set() and s.shows() == OLD and not s.said)

    # each netsh call goes wrong in turn
    for name, fail, stands, says in (
            ("delete fails", {"delete": ["fails"]}, OLD, "could not delete"), ("add fails", {"add": ["fails"]}, OLD, "the old record is back"),
            ("add lies", {"add": ["lies"]}, OLD, "the old record is back"), ("delete lies", {"delete": ["lies"]}, OLD, ""),
            ("add fails twice", {"add": ["fails", "fails"]}, None, "could not be put back")):
        s = Server()
        s.fail = fail
        was = s.set()
        check(f"put back: {name}", was and was[0] == "failed" and s.shows() == stands and says in was[1], (was, s.shows(), s.said))
    s = Server(old=None)
    s.fail = {"add": ["fails"]}
    check("put back: there was none", s.set()[1].endswith("there was no record before") and s.shows() is None)

    s = Server(old=NEW)
    old = Table(endpoint="0.0.0.0:444", thumbprint=OLD, store="MY", appid=APPID, flags=0)
    s.shell.call("Restore-BackEndRecord", old)
    check("undo sets the old record", s.shows() == OLD)
    s.shell.call("Restore-BackEndRecord", None)
    check("undo removes what was not there before", s.shows() is None)
    s = Server(old=NEW)
    s.store.discard(("MY", OLD))
    check("undo to a certificate that is gone leaves what works",
          thrown(lambda: s.shell.call("Restore-BackEndRecord", old)) and s.shows() == NEW and not s.said)


def test_ours():
    s = Server(old=OLD)
    s.container = {NEW: "evmend-plan-1", OLD: "evmend-plan-1"}
    remove = lambda t, token: thrown(lambda: s.shell.call("Remove-OurCertificate", t, token))
    check("a certificate of somebody else stays", remove(NEW, "plan-2")[0] == "conflict" and not s.said)
    check("a certificate that is bound stays", remove(OLD, "plan-1")[0] == "conflict" and not s.said)
    check("a public one stays", remove(PUBLIC, "plan-1")[0] == "conflict" and not s.said)
    check("ours goes", remove(NEW, "plan-1") is None and len(s.said) == 1, s.said)


# ---- the emitted script's course ----

def course(**how):
    """Runs Invoke-Repair with everything around it told by `how`; (exit code, what was called)."""
    shell = part("powershell/repair.ps1")
    called = []

    def mark(name, value=None, fails=None):
        fails = fails or how.get("fails") == name

        def f(*a, **k):
            called.append(name)
            if fails:
                raise Raised(text_of(fails))
            return value() if callable(value) else value
        shell.give(name, f)

    mark("Assert-Surroundings")
    lock = Thing(ReleaseMutex=lambda: called.append("release"))
    mark("Enter-SingleFlight", lock)
    mark("Test-AllFacts", lambda: shell.set("Differs", how.get("differs", 0)))
    mark("Get-BusyFact", Table(state=how.get("busy", "free"), what="Exchange setup runs"))
    mark("Save-Before")
    mark("Invoke-Plan", fails=how.get("plan_fails"))
    mark("Wait-BackEnd")
    proofs = list(how.get("proofs", [True, True]))
    mark("Test-Proof", lambda: proofs.pop(0))
    mark("Restore-BackEndRecord")
    mark("Start-Sleep")
    shell.give("Write-Line", lambda t: None)
    for name, value in {"Verdict": "BE_CERT_DELETED", "PlanId": "6da4", "Differs": 0, "Apply": how.get("apply", True), "Settle": 60,
                        "HopOpen": how.get("hop_open", False), "BeforeWorked": how.get("worked", False),
                        "Replaced": how.get("replaced"), "Lock": None}.items():
        shell.set(name, value)
    shell.give("Write-Host", lambda t: None)
    code = shell.call("Invoke-AndRelease")
    check("course: the lock is released", called.count("release") == lock.gone == (how.get("fails") != "Enter-SingleFlight"), (how, called))
    return code, called


def test_course():
    changing = {"Invoke-Plan", "Restore-BackEndRecord", "Save-Before"}
    for name, how, code, must, never in (
            ("without -Apply nothing is done", {"apply": False}, 0, {"Test-AllFacts", "Get-BusyFact"}, changing),
            ("a fact that differs stops it", {"differs": 1}, 6, set(), changing),
            ("a fact that differs stops it, -Apply or not", {"differs": 2, "apply": False}, 6, set(), changing),
            ("setup that runs stops it", {"busy": "installing"}, 6, set(), changing),
            ("a restart that waits stops it", {"busy": "reboot_pending"}, 6, set(), changing),
            ("a step that fails needs a person", {"plan_fails": "1312"}, 8, {"Save-Before"}, {"Test-Proof", "Restore-BackEndRecord"}),
            ("all is well", {}, 0, {"Save-Before", "Invoke-Plan", "Test-Proof", "Start-Sleep"}, {"Restore-BackEndRecord"}),
            ("a proof that fails after nothing worked", {"proofs": [False]}, 8, {"Invoke-Plan"}, {"Restore-BackEndRecord"}),
            ("a proof that fails after nothing worked, though there was a record", {"proofs": [False], "replaced": Table(thumbprint=OLD)}, 8,
             {"Invoke-Plan"}, {"Restore-BackEndRecord"}),
            ("a proof that fails after it worked", {"proofs": [False], "worked": True, "replaced": Table(thumbprint=OLD)}, 7,
             {"Restore-BackEndRecord"}, set()),
            ("a proof that fails without an old record", {"proofs": [False], "worked": True}, 8, set(), {"Restore-BackEndRecord"}),
            ("it must stay well", {"proofs": [True, False], "worked": True, "replaced": Table(thumbprint=OLD)}, 7,
             {"Restore-BackEndRecord", "Start-Sleep"}, set()),
            ("the hop is open", {"hop_open": True}, 8, {"Invoke-Plan"}, {"Restore-BackEndRecord"}),
            ("another one is at work", {"fails": "Enter-SingleFlight"}, 4, set(), changing | {"Test-AllFacts"}),
            ("what was there cannot be kept: nothing was changed", {"fails": "Save-Before"}, 4, {"Save-Before"}, {"Invoke-Plan"}),
            ("a wait that throws comes after changes", {"fails": "Wait-BackEnd"}, 8, {"Invoke-Plan"}, {"Restore-BackEndRecord"}),
            ("a proof that throws comes after changes", {"fails": "Test-Proof", "worked": True, "replaced": Table(thumbprint=OLD)}, 8,
             {"Invoke-Plan"}, {"Restore-BackEndRecord"}),
            ("going back that throws", {"fails": "Restore-BackEndRecord", "proofs": [False], "worked": True, "replaced": Table(thumbprint=OLD)}, 8,
             {"Restore-BackEndRecord"}, set())):
        got, called = course(**how)
        check(f"course: {name}", got == code and must <= set(called) and not never & set(called), (got, called))
    _, called = course()
    check("course: facts, then a copy of what was, then the steps, then the proof",
          [c for c in called if c in ("Test-AllFacts", "Get-BusyFact", "Save-Before", "Invoke-Plan", "Test-Proof")] ==
          ["Test-AllFacts", "Get-BusyFact", "Save-Before", "Invoke-Plan", "Test-Proof", "Test-Proof"], called)


def test_words():
    shell = part(LOOK, "powershell/repair.ps1")
    told = []
    shell.give("Write-Line", told.append)
    shell.give("[array]::sort", lambda a, c: a.sort())
    shell.set("Differs", 0)
    for was, now, silent, differs in (("a", "a", False, 0), ("a", "A", False, 1), ("a", "", False, 1), ("", "b", False, 0), ("", "", False, 0),
                                      ("none", "a", False, 1), ("a", "", True, 0), ("a", "b", True, 1), ("", "b", True, 0)):
        shell.set("Differs", 0)
        shell.call("Compare-Fact", "x", was, now, silent)
        check(f"compare '{was}' with '{now}'{', which may be silent' if silent else ''}", shell.scopes[0]["differs"] == differs, told[-3:])
    check("what cannot be read is told", any("cannot be read" in t for t in told), told)
    shell.call("Complete-Step", 1, Table(did=True, detail="a certificate was made", thumbprint=NEW))
    check("the journal names the certificate that was made", told[-1] == f"step 1 is done: a certificate was made ({NEW})", told[-1])
    shell.call("Complete-Step", 2, Table(did=True, detail="the record is set"))
    check("the journal of a step without one", told[-1] == "step 2 is done: the record is set", told[-1])


def test_443():
    """443 by the server's name is one record, 127.0.0.1:443 another: each is compared with itself, and the hop is asked by the name."""
    name, asked, shown = "ex1.contoso.example", [], {}
    ok = lambda leaf, **more: Table(tcp="ok", tls="ok", leaf=leaf, **more)
    shell = part(LOOK, "powershell/repair.ps1")
    shell.give("Invoke-Probe", lambda address, port, *r: (asked.append((address, port)), shown[address])[1])
    shell.give("Get-LeafThumbprint", lambda r: r["leaf"])
    shell.set("ServerFqdn", name)
    shown.update({name: ok(PUBLIC, http_status=200, answer_header="X-BEServer: EX1"), "127.0.0.1": Table(tcp="ok", tls="reset")})
    check("443 by name", shell.call("Get-FrontEndWord", name) == "shows " + PUBLIC)
    check("443 on loopback", shell.call("Get-FrontEndWord", "127.0.0.1") == "fails")
    check("the hop is asked by name", shell.call("Get-HopWord") == "yes" and asked[-1] == (name, 443), asked)
    for tcp, tls, word in (("refused", "not-tried", "fails"), ("error", "not-tried", ""), ("timeout", "not-tried", ""), ("ok", "error", ""),
                           ("ok", "timeout", "fails")):
        shown[name] = Table(tcp=tcp, tls=tls)
        check(f"443: {tcp} {tls}", shell.call("Get-FrontEndWord", name) == word)


def test_before():
    """What stood there is kept before anything is done, in the folder as PowerShell sees it."""
    for name, code, records, stops in (("kept", 0, True, False), ("the registry is not exported", 1, True, True),
                                       ("no record, no key", 1, False, False)):
        shell, wrote = part(LOOK, "powershell/repair.ps1"), []
        for what, f in (("Join-Path", lambda a, b: a + "/" + b), ("New-Item", lambda **k: wrote.append(k["path"])), ("Write-Line", lambda t: None),
                        ("Get-SslText", lambda r=records: lines(GERMAN) if r else ["", "none"]), ("[io.file]::writealllines", lambda p, l: wrote.append(p)),
                        ("[io.file]::copy", lambda a, b: wrote.append(b)), ("Invoke-Native", lambda e, a, c=code: Table(Lines=[], Code=c)),
                        ("Get-StoreCertificate", lambda s: []),
                        ("Get-Date", lambda: Thing(ToUniversalTime=lambda: Thing(ToString=lambda f: "20260302")))):
            shell.give(what, f)
        for variable, value in (("Folder", "x"), ("PlanId", "6da4" * 16), ("Verdict", "V"), ("IisConfig", "c"), ("Say", None),
                                ("ExecutionContext", Table(SessionState=Table(Path=Thing(
                                    GetUnresolvedProviderPathFromPSPath=lambda p: "D:/here/" + p))))):
            shell.set(variable, value)
        was = thrown(lambda: shell.call("Save-Before"))
        check(f"before: {name}", (was is not None and "nothing was changed" in was[1]) if stops else was is None, was)
        check(f"before: {name}: in PowerShell's place", wrote and all(w.startswith("D:/here/x/6da46da46da4-20260302") for w in wrote), wrote)


# ---- host.ps1 ----

def test_host():
    shell = part(LOOK, ACT, "host.ps1")
    done = []
    for name in ("Set-BackEndRecord", "Remove-BackEndRecord", "Add-BackEndBinding", "New-BackEndCertificate", "Restore-Certificate",
                 "Repair-CertificateKey", "Remove-OurCertificate", "Restart-Iis", "Restore-BackEndRecord", "Remove-BackEndBinding"):
        shell.give(name, lambda *a, n=name: (done.append((n, a)), Table(did=True, detail="done"))[1])
    shell.give("Get-Member2", lambda o, n: o.get(n) if isinstance(o, dict) else None)
    shell.set("ReadOnly", False)
    step = {"kind": "record_set", "endpoint": "0.0.0.0:444", "thumbprint": NEW, "store": "MY", "appid": APPID, "flags": 0, "token": "t1"}
    bind = {"kind": "site_binding_add", "site": "Exchange Back End",
            "binding": {"protocol": "https", "information": "*:444:", "ssl_flags": 0}}

    def apply(**changes):
        base = bind if changes.get("kind") == "site_binding_add" else step
        return thrown(lambda: shell.call("Invoke-Call", "apply", {"step": {**base, **changes}}, 30000))

    check("host: record_set", apply() is None and done[-1] == ("Set-BackEndRecord", (NEW, "MY", APPID, 0)), done)
    check("host: binding", apply(kind="site_binding_add") is None and done[-1][0] == "Add-BackEndBinding")
    n = len(done)
    for name, changes in (("port 443", {"endpoint": "0.0.0.0:443"}), ("local 443", {"endpoint": "127.0.0.1:443"}),
                          ("all of IPv6", {"endpoint": "[::]:444"}), ("no endpoint", {"endpoint": ""}), ("a number for a text", {"store": 5}),
                          ("a short thumbprint", {"thumbprint": "ab"}), ("a quote", {"store": "MY'"}), ("odd flags", {"flags": -1}),
                          ("flags as text", {"flags": "0"}), ("no braces", {"appid": APPID[1:-1]}),
                          ("removal of 443", {"kind": "record_remove", "endpoint": "0.0.0.0:443"}),
                          ("another site", {"kind": "site_binding_add", "site": "Default Web Site"}),
                          ("another binding", {"kind": "site_binding_add", "binding": {"protocol": "https", "information": "*:443:"}}),
                          ("a binding with SNI", {"kind": "site_binding_add",
                                                  "binding": {"protocol": "https", "information": "*:444:", "ssl_flags": 1}}),
                          ("a restore of nothing", {"kind": "cert_restore", "thumbprint": "x"})):
        was = apply(**changes)
        check(f"host: refused: {name}", was and was[0] == "bad_call" and len(done) == n, (was, done[n:]))
    check("host: an unknown step", apply(kind="delete_everything")[0] == "unsupported" and len(done) == n)
    check("host: an unknown call", thrown(lambda: shell.call("Invoke-Call", "run", {}, 1))[0] == "unsupported")
    shell.set("ReadOnly", True)
    check("host: -ReadOnly", apply()[0] == "denied" and len(done) == n)
    shell.set("ReadOnly", False)

    def undo(step_, was, now):
        shell.give("Find-BackEndRecord", lambda: now)
        return thrown(lambda: shell.call("Invoke-Call", "undo", {"step": step_, "was": was}, 1))

    old = {"endpoint": "0.0.0.0:444", "thumbprint": OLD, "store": "MY", "appid": APPID, "flags": 0}
    check("host: undo of a record", undo(step, {"old": old}, Table(thumbprint=NEW)) is None and done[-1][0] == "Restore-BackEndRecord", done[-1])
    n = len(done)
    check("host: undo twice does nothing", undo(step, {"old": old}, Table(thumbprint=OLD)) is None and len(done) == n)
    check("host: undo of what somebody else changed", undo(step, {"old": old}, Table(thumbprint=PUBLIC))[0] == "conflict" and len(done) == n)
    check("host: undo to a record of 443", undo(step, {"old": {**old, "endpoint": "0.0.0.0:443"}}, Table(thumbprint=NEW))[0] == "bad_call" and len(done) == n)
    check("host: undo of a binding that was there", undo(bind, {"did": False}, None) is None and len(done) == n)
    check("host: undo of a restart", undo({"kind": "iis_restart"}, {}, None)[0] == "unsupported")


# ---- the emitted plans ----

def test_plans():
    first, other = "a1" * 19 + "01", "a4" * 19 + "04"
    expected = {
        "BE_BINDING_REMOVED": ["Add-BackEndBinding"], "BE_BINDING_REMOVED-record": ["Add-BackEndBinding", ("Set-BackEndRecord", first)],
        "BE_CERT_DELETED-create": ["New-BackEndCertificate", ("Set-BackEndRecord", NEW)], "BE_CERT_DELETED-rebind": [("Set-BackEndRecord", other)],
        "BE_CERT_DELETED-restore": [("Restore-Certificate", first)], "HOP_BROKEN": ["Restart-Iis"],
        "BE_KEY_MISSING-repair": [("Repair-CertificateKey", first)], "BE_STORE_MISMATCH": [("Set-BackEndRecord", first)],
    }
    folder = os.path.join(ROOT, "tests/golden/repair")
    files = sorted(f[:-4] for f in os.listdir(folder))
    for name in files:
        shell = part(os.path.join(folder, name + ".ps1"))
        done = []
        for command in ("Set-BackEndRecord", "Add-BackEndBinding", "New-BackEndCertificate", "Restore-Certificate", "Repair-CertificateKey",
                        "Restart-Iis"):
            shell.give(command, lambda *a, c=command: (done.append((c, a)), Table(did=True, detail="", thumbprint=NEW))[1])
        shell.give("Start-Step", lambda n, what: None)
        shell.give("Complete-Step", lambda n, r: shell.set("Wanted", r["thumbprint"]))
        shell.set("Token", "plan-1")
        shell.set("Wanted", "")
        shell.call("Invoke-Plan")
        seen = [(c, a[0]) if c in ("Set-BackEndRecord", "Restore-Certificate", "Repair-CertificateKey") else c for c, a in done]
        check(f"plan {name}", seen and seen == expected.get(name, seen), seen)
        rest = [a[1:] for c, a in done if c == "Set-BackEndRecord"]
        check(f"plan {name}: store, application, flags", all(r[0] in ("MY", "WebHosting") and r[1:] == (APPID, 0) for r in rest), rest)
    check("plans: all that are expected are there", set(expected) <= set(files), set(expected) - set(files))


for test in (test_netsh, test_small_readers, test_keys, test_key_file, test_surroundings, test_busy, test_before, test_types, test_record, test_ours, test_course, test_words, test_443, test_host, test_plans):
    try:
        test()
    except Exception as x:  # a test that cannot run has failed
        check(test.__name__, False, f"{type(x).__name__}: {x}")
sys.exit(0 if all(results) else 1)

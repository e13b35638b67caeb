"""events.py - events for a proof of concept: our own small templates, or a file of Event XML whose times are moved to now.

An event is bytes with three gaps: time, record id, computer. Nothing here is taken from a real log.
"""
import itertools
import lzma
import re

NS = "http://schemas.microsoft.com/win/2004/08/events/event"
SECURITY = "Microsoft-Windows-Security-Auditing"
SYSMON = "Microsoft-Windows-Sysmon"
SYSMON_LOG = "Microsoft-Windows-Sysmon/Operational"
DOMAIN = {"SubjectUserSid": "S-1-5-21-1004336348-1177238915-682003330-1106", "SubjectUserName": "jo", "SubjectDomainName": "LAB"}


def template(provider, channel, eid, data, level=0):
    fields = "".join("<Data Name='%s'>%s</Data>" % (k, v) for k, v in data.items())
    return ("<Event xmlns='%s'><System><Provider Name='%s'/><EventID>%d</EventID><Version>1</Version><Level>%d</Level><Task>0</Task>"
            "<Opcode>0</Opcode><Keywords>0x8020000000000000</Keywords><TimeCreated SystemTime='\0'/><EventRecordID>\0</EventRecordID>"
            "<Correlation/><Execution ProcessID='728' ThreadID='2296'/><Channel>%s</Channel><Computer>\0</Computer><Security/></System>"
            "<EventData>%s</EventData></Event>\n" % (NS, provider, eid, level, channel, fields)).encode().split(b"\0")


def process(eid, provider, channel, image, line, parent):
    return template(provider, channel, eid, dict(DOMAIN, NewProcessName=image, Image=image, CommandLine=line, ParentProcessName=parent, ParentImage=parent,
                                                 NewProcessId="0x1a2c", ProcessId="0x2f4", User="LAB\\jo", IntegrityLevel="Medium"))


def quiet():
    """What a server says all day; most of it says nothing to any rule."""
    w = "C:\\Windows\\System32\\"
    logon = dict(DOMAIN, TargetUserName="svc-mail", TargetDomainName="LAB", LogonType="3", IpAddress="10.1.2.3", IpPort="50122",
                 WorkstationName="CLIENT7", AuthenticationPackageName="Kerberos", LogonProcessName="Kerberos", Status="0x0")
    return [template(SECURITY, "Security", 4624, logon), template(SECURITY, "Security", 4634, logon), template(SECURITY, "Security", 4672, DOMAIN),
            process(4688, SECURITY, "Security", w + "svchost.exe", "svchost.exe -k netsvcs -p", w + "services.exe"),
            process(1, SYSMON, SYSMON_LOG, w + "conhost.exe", "conhost.exe 0xffffffff -ForceV1", w + "cmd.exe"),
            template(SYSMON, SYSMON_LOG, 3, {"Image": w + "svchost.exe", "User": "NT AUTHORITY\\SYSTEM", "Protocol": "tcp", "DestinationIp": "10.1.2.9",
                                             "DestinationPort": "443", "DestinationHostname": "mail.lab.example", "Initiated": "true"}),
            template(SYSMON, SYSMON_LOG, 11, {"Image": w + "svchost.exe", "TargetFilename": "C:\\Windows\\Temp\\evt8841.tmp"}),
            template(SECURITY, "Security", 4769, dict(logon, ServiceName="mail$", TicketOptions="0x40810000", TicketEncryptionType="0x12")),
            template("Service Control Manager", "System", 7036, {"param1": "Windows Update", "param2": "running"}, 4)]


def loud():
    """What rules of many collections speak about."""
    w = "C:\\Windows\\System32\\"
    return [process(4688, SECURITY, "Security", w + "whoami.exe", "whoami /all", w + "cmd.exe"),
            process(1, SYSMON, SYSMON_LOG, w + "vssadmin.exe", "vssadmin delete shadows /all /quiet", w + "cmd.exe"),
            template(SECURITY, "Security", 4625, dict(DOMAIN, TargetUserName="administrator", LogonType="3", IpAddress="10.9.9.9", Status="0xc000006d"))]


MARK = template("EvmendMark", "Application", 4711, {"Text": "a mark"}, 4)
LOUD_EVERY = 5000  # events


def of_file(path):
    """Events of a file, one a line; the computer is left as it is."""
    head = re.compile(rb"SystemTime=['\"]([^'\"]*)['\"]")
    rid = re.compile(rb"<EventRecordID>(\d*)</EventRecordID>")
    out = []
    with lzma.open(path) if path.endswith(".xz") else open(path, "rb") as f:
        for line in f:
            t, r = head.search(line), rid.search(line)
            if t and r and t.end() < r.start():
                out.append((line[:t.start(1)], line[t.end(1):r.start(1)], line[r.end(1):], b""))
    return out


def endless(path, hosts):
    """(four pieces, computer) without end."""
    names = [b"srv%03d.lab.example" % i for i in range(hosts)]
    if path:
        events = of_file(path)
        while True:
            for e in events:
                yield e, b""
    small, big = itertools.cycle(quiet()), itertools.cycle(loud())
    for n in itertools.count(1):
        yield next(big if n % LOUD_EVERY == 0 else small), names[n * 7919 % hosts]

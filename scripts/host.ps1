<#
host.ps1 - answers evmend's host protocol (docs/host-protocol.md, version 1) on this server, over standard input and output.

Whoever carries two pipes carries it: ssh, a remote session, a scheduled task with redirected streams. In evmend's configuration:

    hosts:
      - name: ex1.contoso.example
        access: pipe
        command: [/usr/bin/ssh, -T, evmend@ex1.contoso.example, powershell, -NoProfile, -NonInteractive,
          -InputFormat, None, -ExecutionPolicy, Bypass, -File, 'C:\evmend\host.ps1']

(-InputFormat None: else PowerShell itself reads from standard input.)
It reads calls, one JSON line each, and writes one JSON line for each; nothing else goes to standard output. With -ReadOnly it
cannot change anything and says so in its hello; without, it does the few steps of the protocol and no other: the record of
0.0.0.0:444, the https binding of 'Exchange Back End', a new certificate or its removal, a certificate's key, iisreset /noforce.
Port 443 is refused. Every value is checked for its type before anything runs; programs get lists of arguments, no shell reads them.

Its authors had no Windows machine: it was NOT RUN ON WINDOWS yet. Start with -ReadOnly and a test server (docs/acceptance.md).
Windows PowerShell 5.1 (4.0 will do, with .NET Framework 4.6 or later), 64-bit, elevated.
#>
#Requires -Version 4.0
[CmdletBinding()]
param([switch] $ReadOnly)
if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {
    Write-Error 'STOP: this PowerShell runs in a restricted language mode; run it where scripts may use .NET' # not on standard output
    exit 4
}

# --- how the server is looked at; every function down to the next line like this one only reads ---
# This part is powershell/look.ps1. It stands word for word in every script that needs it, so that each of them is one file.

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

$BackEndSite = 'Exchange Back End'
$BackEndEndpoint = '0.0.0.0:444'
$BackEndPath = '/owa/exhealth.check'
$IisAppId = '{4dc3e181-e14b-4a21-b022-59fc669b0914}'
$System32 = "$env:SystemRoot\System32"
$NetshExe = Join-Path $System32 'netsh.exe'
$CertutilExe = Join-Path $System32 'certutil.exe'
$AppcmdExe = Join-Path $System32 'inetsrv\appcmd.exe'
$IisConfig = Join-Path $System32 'inetsrv\config\applicationHost.config'

function Assert-Surroundings {
    # The 32-bit view of registry and System32 is another one; PowerShell 7 lacks Get-WmiObject, and its certificates come
    # without some of their members. (A restricted language mode is told at the very top of each script.)
    if ($PSVersionTable.PSVersion.Major -gt 5) {
        throw 'this is PowerShell 7 or later; start Windows PowerShell (powershell.exe)'
    }
    if (-not [Environment]::Is64BitProcess) { throw 'this is the 32-bit PowerShell; start the 64-bit one' }
    $me = New-Object Security.Principal.WindowsPrincipal ([Security.Principal.WindowsIdentity]::GetCurrent())
    if (-not $me.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {
        throw 'this PowerShell is not elevated; start it with "Run as administrator"'
    }
}

function Invoke-Native([string] $Exe, [string[]] $Arguments) {
    # A program with a list of arguments; no shell reads them. Answers with its lines and its exit code.
    foreach ($a in $Arguments) {
        if ($a -match '["\r\n]') { throw 'an argument holds a quote or a line break; that is never right' }
    }
    $ErrorActionPreference = 'Continue' # a line on standard error is text here, no exception
    $lines = @(& $Exe @Arguments 2>&1 | ForEach-Object { [string] $_ })
    return @{ Lines = $lines; Code = $LASTEXITCODE }
}

function ConvertTo-Hex([byte[]] $Bytes) {
    return -join @($Bytes | ForEach-Object { $_.ToString('x2') })
}

function ConvertTo-UtcText([DateTime] $Time) {
    return $Time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", [Globalization.CultureInfo]::InvariantCulture)
}

function ConvertTo-Pem([byte[]] $Der) {
    return "-----BEGIN CERTIFICATE-----`n" + [Convert]::ToBase64String($Der, 'InsertLineBreaks').Replace("`r`n", "`n") +
        "`n-----END CERTIFICATE-----`n"
}

function Get-Chain([Exception] $Exception) {
    # An exception and all that is inside it; PowerShell wraps what .NET throws.
    $list = @()
    while ($null -ne $Exception) {
        $list += $Exception
        $Exception = $Exception.InnerException
    }
    return , $list
}

function Get-MachineValue([string] $Key, [string] $Name) {
    # A registry value of the machine, 64-bit view; $null when key or value is not there.
    $root = [Microsoft.Win32.RegistryKey]::OpenBaseKey('LocalMachine', 'Registry64')
    $at = $root.OpenSubKey($Key)
    if ($null -eq $at) { return $null }
    return $at.GetValue($Name, $null)
}

function Test-MachineKey([string] $Key) {
    $root = [Microsoft.Win32.RegistryKey]::OpenBaseKey('LocalMachine', 'Registry64')
    return $null -ne $root.OpenSubKey($Key)
}

# Who the server is.

function Get-ServerIdentity {
    $setup = 'SOFTWARE\Microsoft\ExchangeServer\v15\Setup'
    $ip = [Net.NetworkInformation.IPGlobalProperties]::GetIPGlobalProperties()
    $fqdn = $ip.HostName
    if ($ip.DomainName) { $fqdn = $ip.HostName + '.' + $ip.DomainName }
    $addresses = @('127.0.0.1')
    if ([Net.Sockets.Socket]::OSSupportsIPv6) { $addresses += '::1' }
    $addresses += $fqdn
    $exchange = (Test-MachineKey 'SOFTWARE\Microsoft\ExchangeServer\v15\MailboxRole') -or
        (Test-MachineKey 'SOFTWARE\Microsoft\ExchangeServer\v15\ClientAccessRole') -or
        (Test-MachineKey 'SOFTWARE\Microsoft\ExchangeServer\v15\FrontendTransportRole')
    $version = ''
    if ($null -ne (Get-MachineValue $setup 'MsiProductMajor')) {
        $version = @('MsiProductMajor', 'MsiProductMinor', 'MsiBuildMajor', 'MsiBuildMinor' |
            ForEach-Object { [string] (Get-MachineValue $setup $_) }) -join '.'
    }
    return [ordered]@{
        netbios = [Environment]::MachineName; fqdn = $fqdn; exchange = $exchange; addresses = $addresses
        backend_port = 444; frontend_port = 443; version = $version
    }
}

# HTTP.SYS's table. netsh translates its labels, so only the shapes of the values count:
# a block starts with address:port, then 40 hex digits, then {guid}, then the name of the store.

function Read-SslText([string[]] $Lines) {
    $address = '^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9A-Fa-f:.%]+\]):(\d{1,5})$'
    $name = '^[A-Za-z0-9._*-]+:(\d{1,5})$'
    $record = $null
    $after = ''
    $fresh = $true
    foreach ($line in $Lines) {
        if ($line -match '^\s*$') { $fresh = $true; continue }
        if ($line -notmatch '^\s*\S.*?\s*:\s+(\S.*?)\s*$') { continue }
        $value = $Matches[1]
        $kind = ''
        if ($value -match $address) { $kind = 'address' }
        elseif ($value -match $name) { $kind = 'name' }
        elseif ($fresh -and $value -match '^(\d{1,5})$') { $kind = 'central' }
        if ($kind) {
            $port = [int] $Matches[1]
            if ($null -ne $record) { $record }
            $record = [ordered]@{ endpoint = $value; port = $port; store = 'MY'; sni = ($kind -eq 'name'); ccs = ($kind -eq 'central') }
            $after = ''
        } elseif ($null -ne $record) {
            if ($value -match '^[0-9A-Fa-f]{40}$' -and -not $record.Contains('thumbprint')) {
                $record.thumbprint = $value.ToLowerInvariant()
            } elseif ($value -match '^\{[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}$') {
                $record.appid = $value.ToLowerInvariant()
                $after = 'appid'
            } elseif ($after -eq 'appid') {
                if ($value -ne '(null)') { $record.store = $value } # netsh shows MY so when nobody named a store
                $after = ''
            }
        }
        $fresh = $false
    }
    if ($null -ne $record) { $record }
}

function Get-SslText {
    $said = Invoke-Native $NetshExe @('http', 'show', 'sslcert')
    # exit code 1 without any record is how an empty table looks; a table that cannot be read has no lines at all
    if ($said.Lines.Count -eq 0) { throw "netsh http show sslcert said nothing (exit code $($said.Code))" }
    return , $said.Lines
}

function Get-SslRecord([string[]] $Lines) {
    # What netsh shows; flags and odd settings, which it shows in the system's language, from where HTTP.SYS keeps them.
    $parameters = 'SYSTEM\CurrentControlSet\Services\HTTP\Parameters\SslBindingInfo\'
    foreach ($r in @(Read-SslText $Lines)) {
        if ($r.port -ne 443 -and $r.port -ne 444) { continue }
        if (-not $r.ccs -and -not $r.Contains('thumbprint')) { throw "netsh shows no thumbprint for $($r.endpoint)" }
        if (-not $r.sni -and -not $r.ccs) {
            $flags = Get-MachineValue ($parameters + $r.endpoint) 'DefaultFlags'
            if ($null -ne $flags) { $r.flags = [int] $flags }
        }
        $r
    }
}

function Get-OddSetting([string] $Endpoint) {
    # Settings of a record that netsh could not write again as they were; '' when it has none.
    $key = 'SYSTEM\CurrentControlSet\Services\HTTP\Parameters\SslBindingInfo\' + $Endpoint
    foreach ($name in 'DefaultSslCertCheckMode', 'DefaultSslRevocationFreshnessTime', 'DefaultSslRevocationUrlRetrievalTimeout') {
        $value = Get-MachineValue $key $name
        if ($null -ne $value -and [int64] $value -ne 0) { return "$name is $value" }
    }
    foreach ($name in 'DefaultSslCtlIdentifier', 'DefaultSslCtlStoreName') {
        if (Get-MachineValue $key $name) { return "$name is set" }
    }
    return ''
}

# Certificates and their keys. Nothing private is read: a key is asked to sign 20 zero bytes, and its public half is compared.

function Test-KeyFile([string] $File) {
    # Can the system itself open that key? HTTP.SYS asks as SYSTEM, whoever runs this. $null: no such file.
    foreach ($folder in 'Microsoft\Crypto\RSA\MachineKeys', 'Microsoft\Crypto\Keys', 'Microsoft\Crypto\SystemKeys') {
        $path = Join-Path (Join-Path ([Environment]::GetFolderPath('CommonApplicationData')) $folder) $File
        if (-not $File -or -not (Test-Path -LiteralPath $path)) { continue }
        foreach ($rule in (Get-Acl -LiteralPath $path).GetAccessRules($true, $true, [Security.Principal.SecurityIdentifier])) {
            $system = 'S-1-5-18', 'S-1-5-32-544', 'S-1-1-0' -contains $rule.IdentityReference.Value
            $read = ($rule.FileSystemRights -band [Security.AccessControl.FileSystemRights]::ReadData) -ne 0
            # the list is in the order in which Windows asks it: the first rule that speaks of it decides
            if ($system -and $read) { return [string] $rule.AccessControlType -eq 'Allow' }
        }
        return $false
    }
    return $null
}

function Get-PrivateKey([Security.Cryptography.X509Certificates.X509Certificate2] $Certificate) {
    # GetRSAPrivateKey shows the key of a CSP as RSACng as well; what the certificate itself calls its key tells the two apart.
    # That one is the certificate's: it is never disposed of. (A method, since a property may swallow what it throws.)
    $own = $null
    try { $own = $Certificate.get_PrivateKey() } catch { $own = $null } # a key of CNG is none for it
    if ($own -is [Security.Cryptography.RSACryptoServiceProvider]) { return @{ Key = $own; Ours = $false } }
    return @{ Key = [Security.Cryptography.X509Certificates.RSACertificateExtensions]::GetRSAPrivateKey($Certificate); Ours = $true }
}

function Get-KeyFact([Security.Cryptography.X509Certificates.X509Certificate2] $Certificate) {
    $to = [ordered]@{ has_key = $Certificate.HasPrivateKey }
    if (-not $Certificate.HasPrivateKey) { return $to }
    $mine = $null
    $ours = $false
    try {
        $got = Get-PrivateKey $Certificate
        $mine = $got.Key
        $ours = $got.Ours
        if ($null -eq $mine) { return $to } # no RSA key: nothing is known about it
        $file = ''
        if ($mine -is [Security.Cryptography.RSACryptoServiceProvider]) {
            $to.csp = $true
            $to.provider = $mine.CspKeyContainerInfo.ProviderName
            $to.container = $mine.CspKeyContainerInfo.KeyContainerName
            $file = $mine.CspKeyContainerInfo.UniqueKeyContainerName
            $to.exportable = $mine.CspKeyContainerInfo.Exportable
        } elseif ($mine -is [Security.Cryptography.RSACng]) {
            $to.csp = $false
            $to.provider = $mine.Key.Provider.Provider
            $to.container = $mine.Key.KeyName
            $file = $mine.Key.UniqueName
            $to.exportable = ([int] $mine.Key.ExportPolicy -band 1) -ne 0
        }
        $null = $mine.SignHash((New-Object byte[] 20), [Security.Cryptography.HashAlgorithmName]::SHA1,
            [Security.Cryptography.RSASignaturePadding]::Pkcs1)
        $to.key_opens = $true
        if ((Test-KeyFile $file) -eq $false) {
            $to.key_opens = $false # for us, but not for the system, which is who asks
            $to.key_denied = $true
        }
        $public = [Security.Cryptography.X509Certificates.RSACertificateExtensions]::GetRSAPublicKey($Certificate)
        $a = $mine.ExportParameters($false)
        $b = $public.ExportParameters($false)
        $to.key_matches = (ConvertTo-Hex $a.Modulus) -eq (ConvertTo-Hex $b.Modulus)
    } catch {
        foreach ($x in (Get-Chain $_.Exception)) {
            # NTE_BAD_KEYSET, NTE_NO_KEY, NTE_PERM, access denied: the key does not open. Anything else: unknown.
            $code = '{0:x8}' -f $x.HResult
            if ('80090016', '8009000d', '80090010', '80070005' -contains $code) { $to.key_opens = $false }
            if ('80090010', '80070005' -contains $code) { $to.key_denied = $true }
        }
    } finally {
        if ($ours -and $null -ne $mine) { $mine.Dispose() }
    }
    return $to
}

function Read-ContainerText([string[]] $Lines) {
    # certutil -key: the name of a container, and on the next line its file, 32 hex digits, '_' and the machine's guid.
    for ($i = 1; $i -lt $Lines.Count; $i++) {
        if ($Lines[$i] -match '^\s*[0-9a-f]{32}_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\s*$') { $Lines[$i - 1].Trim() }
    }
}

function Find-KeyContainer([Security.Cryptography.X509Certificates.X509Certificate2] $Certificate) {
    # Of a certificate that has lost its key: is there a container of the machine whose public half is the certificate's? '' if not.
    $csp = 'Microsoft RSA SChannel Cryptographic Provider'
    $public = [Security.Cryptography.X509Certificates.RSACertificateExtensions]::GetRSAPublicKey($Certificate)
    if ($null -eq $public) { return '' }
    $numbers = $public.ExportParameters($false)
    $wanted = ConvertTo-Hex $numbers.Modulus
    $said = Invoke-Native $CertutilExe @('-csp', $csp, '-key')
    foreach ($name in @(Read-ContainerText $said.Lines)) {
        $at = New-Object Security.Cryptography.CspParameters (12, $csp, $name)
        $at.Flags = 'UseMachineKeyStore, UseExistingKey, NoPrompt'
        $at.KeyNumber = 1
        try {
            $key = New-Object Security.Cryptography.RSACryptoServiceProvider $at
            $key.PersistKeyInCsp = $true # it is never ours to delete
            $numbers = $key.ExportParameters($false)
            $key.Dispose()
            if ((ConvertTo-Hex $numbers.Modulus) -eq $wanted) { return $name }
        } catch { continue } # of another kind, or not ours to open
    }
    return ''
}

function Get-StoreCertificate([string] $Store) {
    # The certificates of one store of the machine; none when there is no such store.
    $at = New-Object Security.Cryptography.X509Certificates.X509Store ($Store,
        [Security.Cryptography.X509Certificates.StoreLocation]::LocalMachine)
    try {
        $at.Open('OpenExistingOnly') # read only
    } catch {
        foreach ($x in (Get-Chain $_.Exception)) {
            if (('{0:x8}' -f $x.HResult) -eq '80070002') { return }
        }
        throw
    }
    foreach ($c in $at.Certificates) { $c }
    $at.Close()
}

function Get-MachineCertificate($Records, $Identity) {
    # MY and WebHosting whole; of Root and CA what a record names or what carries this server's name.
    $named = @($Records | Where-Object { $_.Contains('thumbprint') } | ForEach-Object { $_.thumbprint })
    foreach ($store in 'MY', 'WebHosting', 'Root', 'CA') {
        foreach ($c in @(Get-StoreCertificate $store)) {
            $thumbprint = $c.Thumbprint.ToLowerInvariant()
            if ('Root', 'CA' -contains $store -and $named -notcontains $thumbprint -and
                $c.Subject -notmatch ('(?i)\bCN=' + [regex]::Escape($Identity.netbios) + '\b')) { continue }
            $to = [ordered]@{ pem = (ConvertTo-Pem $c.RawData); store = $store; friendly_name = $c.FriendlyName }
            $key = Get-KeyFact $c
            foreach ($k in $key.Keys) { $to[$k] = $key[$k] }
            if (-not $to.has_key -and $named -contains $thumbprint) {
                $left = Find-KeyContainer $c # a key that stayed behind can be joined with its certificate again
                if ($left) {
                    $to.container = $left
                    $to.provider = 'Microsoft RSA SChannel Cryptographic Provider'
                    $to.csp = $true
                    $to.key_matches = $true
                }
            }
            $to
        }
    }
}

function Get-TransportCertificate {
    # The internal transport certificate, from this server's object in Active Directory; $null when the object has none.
    $root = New-Object DirectoryServices.DirectoryEntry 'LDAP://RootDSE'
    $base = New-Object DirectoryServices.DirectoryEntry ('LDAP://' + $root.Properties['configurationNamingContext'][0])
    $filter = '(&(objectClass=msExchExchangeServer)(cn=' + [Environment]::MachineName + '))'
    $search = New-Object DirectoryServices.DirectorySearcher ($base, $filter, @('msExchServerInternalTLSCert'))
    $search.ClientTimeout = New-TimeSpan -Seconds 10
    $found = $search.FindOne()
    if ($null -eq $found) { throw 'Active Directory has no Exchange server of this name' }
    if ($found.Properties['msexchserverinternaltlscert'].Count -eq 0) { return [ordered]@{} }
    $raw = [byte[]] $found.Properties['msexchserverinternaltlscert'][0]
    $c = New-Object Security.Cryptography.X509Certificates.X509Certificate2 (, $raw)
    return [ordered]@{ thumbprint = $c.Thumbprint.ToLowerInvariant() }
}

# IIS: bindings from its own file, what runs from appcmd as XML (whose words are not translated).

function Read-XmlText([string] $Text) {
    $xml = New-Object Xml.XmlDocument
    $xml.XmlResolver = $null
    $xml.LoadXml($Text)
    return , $xml
}

function Read-SiteText([string] $Config, [string] $States) {
    $started = @{}
    if ($States) {
        foreach ($s in (Read-XmlText $States).SelectNodes('//SITE')) {
            $started[$s.GetAttribute('SITE.NAME')] = $s.GetAttribute('state') -eq 'Started'
        }
    }
    foreach ($s in (Read-XmlText $Config).SelectNodes('/configuration/system.applicationHost/sites/site')) {
        $bindings = @()
        foreach ($b in $s.SelectNodes('bindings/binding')) {
            $flags = 0
            if ($b.GetAttribute('sslFlags')) { $flags = [int] $b.GetAttribute('sslFlags') }
            $bindings += [ordered]@{
                protocol = $b.GetAttribute('protocol'); information = $b.GetAttribute('bindingInformation'); ssl_flags = $flags
            }
        }
        $name = $s.GetAttribute('name')
        $https = @($bindings | Where-Object { $_.protocol -eq 'https' })
        if ($BackEndSite, 'Default Web Site' -notcontains $name -and $https.Count -eq 0) { continue }
        $site = [ordered]@{ name = $name; id = [int] $s.GetAttribute('id'); bindings = $bindings }
        if ($started.ContainsKey($name)) { $site.started = $started[$name] }
        $site
    }
}

function Get-AppcmdText([string] $What) {
    $said = Invoke-Native $AppcmdExe @('list', $What, '/xml')
    if ($said.Code -ne 0) { throw "appcmd list $What ended with code $($said.Code)" }
    return $said.Lines -join "`n"
}

function Get-IisSite {
    $states = ''
    try { $states = Get-AppcmdText 'site' } catch { $states = '' } # without W3SVC it cannot say; then the state is unknown
    return @(Read-SiteText ([IO.File]::ReadAllText($IisConfig)) $states)
}

function Read-PoolText([string] $States) {
    foreach ($p in (Read-XmlText $States).SelectNodes('//APPPOOL')) {
        if ($p.GetAttribute('APPPOOL.NAME') -like 'MSExchange*') {
            [ordered]@{ name = $p.GetAttribute('APPPOOL.NAME'); running = ($p.GetAttribute('state') -eq 'Started') }
        }
    }
}

function Get-ServiceFact {
    foreach ($name in 'HTTP', 'WAS', 'W3SVC', 'MSExchangeADTopology', 'MSExchangeServiceHost', 'MSExchangeTransport',
        'MSExchangeFrontEndTransport', 'MSExchangeIS', 'MSExchangeHM', 'WinRM') {
        $s = Get-Service -Name $name -ErrorAction SilentlyContinue
        if ($null -ne $s) { [ordered]@{ name = $name; running = ([string] $s.Status -eq 'Running') } }
    }
}

function Get-SettingFact {
    $untrusted = Get-MachineValue 'SYSTEM\CurrentControlSet\Services\MSExchange OWA' 'AllowInternalUntrustedCerts'
    $words = @()
    foreach ($version in 'SSL 3.0', 'TLS 1.0', 'TLS 1.1', 'TLS 1.2', 'TLS 1.3') {
        foreach ($side in 'Server', 'Client') {
            $key = "SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\$version\$side"
            $on = Get-MachineValue $key 'Enabled'
            $off = Get-MachineValue $key 'DisabledByDefault'
            if ($null -ne $on -or $null -ne $off) { $words += "$version ${side}: Enabled=$on DisabledByDefault=$off" }
        }
    }
    foreach ($net in 'SOFTWARE\Microsoft\.NETFramework\v4.0.30319', 'SOFTWARE\Wow6432Node\Microsoft\.NETFramework\v4.0.30319') {
        $strong = Get-MachineValue $net 'SchUseStrongCrypto'
        $system = Get-MachineValue $net 'SystemDefaultTlsVersions'
        if ($null -ne $strong -or $null -ne $system) {
            $words += "$($net -replace '^SOFTWARE\\|Microsoft\\', ''): SchUseStrongCrypto=$strong SystemDefaultTlsVersions=$system"
        }
    }
    if ($words.Count -eq 0) { $words = @('nothing set: the defaults of Windows') }
    $text = $words -join '; '
    return [ordered]@{
        allow_internal_untrusted = ($null -eq $untrusted -or [int] $untrusted -ne 0)
        tls_protocols = $text.Substring(0, [Math]::Min(250, $text.Length))
    }
}

function Get-BootFact {
    $windows = Get-WmiObject Win32_OperatingSystem
    $to = [ordered]@{ time = (ConvertTo-UtcText $windows.ConvertToDateTime($windows.LastBootUpTime)) }
    try { # some languages write the dates of updates in a way that cannot be read back
        $last = @(Get-WmiObject Win32_QuickFixEngineering | Where-Object { $_.InstalledOn } | Sort-Object InstalledOn)
        if ($last.Count -gt 0) {
            $to.update_time = ConvertTo-UtcText $last[-1].InstalledOn
            $to.update = [string] $last[-1].HotFixID
        }
    } catch { $to.Remove('update_time') }
    return $to
}

function Get-BusyFact {
    # What speaks against changing anything now. PendingFileRenameOperations is left out: it is set on healthy servers for years.
    foreach ($p in 'ExSetup', 'ExSetupUI') {
        if (Get-Process -Name $p -ErrorAction SilentlyContinue) {
            return [ordered]@{ state = 'installing'; what = "Exchange setup runs ($p)" }
        }
    }
    $mutex = $null
    try {
        $mutex = [Threading.Mutex]::OpenExisting('Global\_MSIExecute')
    } catch [UnauthorizedAccessException] {
        return [ordered]@{ state = 'installing'; what = 'Windows Installer is at work (its lock may not be opened)' }
    } catch { $mutex = $null }
    if ($null -ne $mutex) {
        # the service may keep it while it does nothing: only one that is held speaks of an installer
        $free = $true
        try { $free = $mutex.WaitOne(0) } catch [Threading.AbandonedMutexException] { $free = $true }
        if ($free) { $mutex.ReleaseMutex() }
        $mutex.Dispose()
        if (-not $free) { return [ordered]@{ state = 'installing'; what = 'Windows Installer is at work' } }
    }
    $root = 'SOFTWARE\Microsoft\Windows\CurrentVersion\'
    foreach ($key in 'Component Based Servicing\RebootPending', 'WindowsUpdate\Auto Update\RebootRequired') {
        if (Test-MachineKey ($root + $key)) { return [ordered]@{ state = 'reboot_pending'; what = 'Windows waits for a restart' } }
    }
    $states = 'SOFTWARE\Microsoft\ExchangeServer\v15\ServerComponentStates\ServerWideOffline'
    $at = [Microsoft.Win32.RegistryKey]::OpenBaseKey('LocalMachine', 'Registry64').OpenSubKey($states)
    if ($null -ne $at) {
        foreach ($who in $at.GetValueNames()) {
            # "version:state:ticks", state 0 is Inactive
            if ([string] $at.GetValue($who) -match '^\d+:0:') {
                return [ordered]@{ state = 'maintenance'; what = 'ServerWideOffline is Inactive: the server is in maintenance' }
            }
        }
    }
    return [ordered]@{ state = 'free'; what = 'no installer runs, no restart is pending' }
}

# One handshake and one request. Any certificate is accepted: a weak one is a fact, not a failed handshake.

function Get-TlsOutcome([Exception] $Exception) {
    # Words of an exception are translated; its types and numbers are not.
    $to = @{ tls = 'error'; alert = 0; detail = $Exception.GetBaseException().Message; again = $false }
    $kinds = @()
    foreach ($x in (Get-Chain $Exception)) {
        $kinds += $x.GetType().Name
        if ($x -is [ArgumentException]) { $to.again = $true } # this .NET does not know the system's default
        if ($x -is [Net.Sockets.SocketException]) {
            if ($x.ErrorCode -eq 10054 -or $x.ErrorCode -eq 10053) { $to.tls = 'reset' }
            if ($x.ErrorCode -eq 10060) { $to.tls = 'timeout' }
            return $to
        }
        if ($x -is [ComponentModel.Win32Exception]) {
            $code = '{0:x8}' -f $x.NativeErrorCode
            # illegal message: handshake_failure; unsupported function: protocol_version; algorithm mismatch: nothing in common
            $alerts = @{ '80090326' = 40; '80090302' = 70; '80090331' = 71; '80090304' = 80; '80090327' = 46 }
            $to.tls = 'alert'
            if ($alerts.ContainsKey($code)) { $to.alert = $alerts[$code] }
            $to.detail = "schannel 0x$code"
            return $to
        }
    }
    if ($kinds -contains 'AuthenticationException') {
        $to.tls = 'alert' # newer .NET names it: "... sent a TLS alert: 'HandshakeFailure'."; the name is not translated
        if ($to.detail -match "'HandshakeFailure'") { $to.alert = 40 }
        if ($to.detail -match "'ProtocolVersion'") { $to.alert = 70 }
        if ($to.detail -match "'InsufficientSecurity'") { $to.alert = 71 }
    }
    elseif ($kinds -contains 'IOException') { $to.tls = 'eof' } # closed in the middle of the handshake
    return $to
}

function Read-HttpAnswer([string] $Text) {
    # Status and the lines that tell who answered.
    $to = @{ status = 0; header = '' }
    if ($Text -notmatch '^HTTP/1\.[01] (\d{3})') { return $to }
    $to.status = [int] $Matches[1]
    $head = ($Text -split "`r`n`r`n", 2)[0]
    $to.header = @($head -split "`r`n" | Where-Object { $_ -match '^(X-FEServer|X-BEServer|X-CalculatedBETarget):' }) -join "`n"
    return $to
}

function Receive-HttpAnswer($Stream, [string] $Name, [string] $Path) {
    $ask = [Text.Encoding]::ASCII.GetBytes("GET $Path HTTP/1.1`r`nHost: $Name`r`nUser-Agent: evmend`r`nConnection: close`r`n`r`n")
    $Stream.Write($ask, 0, $ask.Length)
    $Stream.Flush()
    $room = New-Object byte[] 16384
    $n = 0
    $text = ''
    while ($n -lt $room.Length) {
        $got = $Stream.Read($room, $n, $room.Length - $n)
        if ($got -le 0) { break }
        $n += $got
        $text = [Text.Encoding]::ASCII.GetString($room, 0, $n)
        if ($text.Contains("`r`n`r`n")) { break }
    }
    return Read-HttpAnswer $text
}

function Connect-Tcp([string] $Address, [int] $Port, [int] $Ms, $To) {
    # A connected client, or $null with the outcome in $To.
    $ip = $null
    try {
        if (-not [Net.IPAddress]::TryParse($Address, [ref] $ip)) { $ip = [Net.Dns]::GetHostAddresses($Address)[0] }
        $client = New-Object Net.Sockets.TcpClient -ArgumentList $ip.AddressFamily
        $wait = $client.BeginConnect($ip, $Port, $null, $null)
        if (-not $wait.AsyncWaitHandle.WaitOne($Ms)) {
            $client.Close()
            $To.tcp = 'timeout'
            return $null
        }
        $client.EndConnect($wait)
        $client.ReceiveTimeout = $Ms
        $client.SendTimeout = $Ms
        $To.tcp = 'ok'
        return $client
    } catch {
        $To.detail = $_.Exception.GetBaseException().Message
        foreach ($x in (Get-Chain $_.Exception)) {
            if ($x -is [Net.Sockets.SocketException] -and $x.ErrorCode -eq 10061) { $To.tcp = 'refused' }
            if ($x -is [Net.Sockets.SocketException] -and $x.ErrorCode -eq 10060) { $To.tcp = 'timeout' }
        }
        return $null
    }
}

function Invoke-ProbeOnce([string] $Address, [int] $Port, [string] $Name, [int] $Protocols, [string] $Path, [int] $Ms) {
    $to = [ordered]@{ tcp = 'error'; tls = 'not-tried'; alert = 0; detail = ''; again = $false }
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $ssl = $null
    $client = Connect-Tcp $Address $Port $Ms $to
    try {
        if ($null -eq $client) { return $to }
        $accept = [Net.Security.RemoteCertificateValidationCallback] { $true }
        $stream = $client.GetStream()
        $ssl = New-Object Net.Security.SslStream -ArgumentList $stream, $false, $accept
        try {
            $none = New-Object Security.Cryptography.X509Certificates.X509CertificateCollection
            $ssl.AuthenticateAsClient($Name, $none, [Security.Authentication.SslProtocols] $Protocols, $false)
        } catch {
            $why = Get-TlsOutcome $_.Exception
            foreach ($k in 'tls', 'alert', 'detail', 'again') { $to[$k] = $why[$k] }
            return $to
        }
        $to.tls = 'ok'
        $to.tls_version = ([string] $ssl.SslProtocol) -replace '^Tls$', 'TLSv1' -replace '^Tls1(\d)$', 'TLSv1.$1'
        $to.cipher = [string] $ssl.CipherAlgorithm
        if ($null -ne $ssl.RemoteCertificate) { $to.leaf = ConvertTo-Pem $ssl.RemoteCertificate.GetRawCertData() }
        if ($Path) {
            try {
                $answer = Receive-HttpAnswer $ssl $Name $Path
                $to.http_status = $answer.status
                $to.answer_header = $answer.header
            } catch {
                $to.http_status = 0
                $to.detail = $_.Exception.GetBaseException().Message
            }
        }
        return $to
    } finally {
        $to.took_ms = [int] $watch.ElapsedMilliseconds
        if ($null -ne $ssl) { $ssl.Dispose() }
        if ($null -ne $client) { $client.Close() }
    }
}

function Invoke-Probe([string] $Address, [int] $Port, [string] $Name, [string] $Version, [string] $Path, [int] $Ms) {
    # Version 1.2: TLS 1.2 and no other. Else what Windows takes by default, or TLS 1.0 to 1.2 where .NET cannot ask for that.
    $protocols = 0
    if ($Version -eq '1.2') { $protocols = 3072 }
    $to = Invoke-ProbeOnce $Address $Port $Name $protocols $Path $Ms
    if ($to.again -and $protocols -eq 0) { $to = Invoke-ProbeOnce $Address $Port $Name 4032 $Path $Ms }
    $to.Remove('again')
    return $to
}

function Invoke-HopProbe([string] $Address, [string] $Name, [string] $Path, [int] $Ms) {
    # Through the front end. Only what is decisive is told: an answer of the back end, or a front end that failed to reach one.
    $to = Invoke-Probe $Address 443 $Name 'default' $Path $Ms
    if ($to.tls -ne 'ok' -or $to['answer_header'] -match '(?m)^X-BEServer:') { return $to }
    if ([int] $to['http_status'] -ge 500 -and $to['answer_header'] -match '(?m)^X-CalculatedBETarget:') { return $to }
    $to.detail = 'the front end answered by itself, status ' + [int] $to['http_status'] + ': the hop is not proven'
    $to.tls = 'error'
    return $to
}
# --- the looking ends here ---

# --- what can be changed, and nothing else; this part is powershell/act.ps1 ---
# Every value is checked for its type before anything runs. Port 443, other sites and certificates that were there before are
# never changed; no certificate is enabled for an Exchange service.

function Stop-Step([string] $Kind, [string] $Text) {
    # Kinds are those of the host protocol: denied, busy, not_found, conflict, failed, timeout, unsupported, bad_call.
    $x = New-Object InvalidOperationException $Text
    $x.Data['kind'] = $Kind
    throw $x
}

function Assert-Shape([string] $Value, [string] $Shape, [string] $What) {
    # \A and \z: a $ would let a line break pass
    if ($Value -cnotmatch ('\A(?:' + $Shape + ')\z')) { Stop-Step 'bad_call' "$What has not the shape it must have" }
    return $Value
}
function Assert-Thumbprint([string] $Value) { return (Assert-Shape $Value '[0-9A-Fa-f]{40}' 'the thumbprint').ToLowerInvariant() }
function Assert-AppId([string] $Value) {
    return Assert-Shape $Value '\{[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}' 'the application id'
}
function Assert-Store([string] $Value) { return Assert-Shape $Value '[A-Za-z][A-Za-z0-9]{0,62}' 'the name of the store' }
function Assert-HostName([string] $Value) { return Assert-Shape $Value '[A-Za-z0-9]([A-Za-z0-9.-]{0,253}[A-Za-z0-9])?' 'a host name' }
function Assert-Token([string] $Value) { return Assert-Shape $Value '[A-Za-z0-9][A-Za-z0-9._-]{0,78}' 'the token' }
function Assert-Endpoint([string] $Value) {
    if ($Value -cne $BackEndEndpoint) { Stop-Step 'bad_call' "only $BackEndEndpoint is ever changed" }
    return $Value
}
function Assert-Site([string] $Value) {
    if ($Value -cne $BackEndSite) { Stop-Step 'bad_call' "only the site '$BackEndSite' is ever changed" }
    return $Value
}

function Find-StoreCertificate([string] $Store, [string] $Thumbprint) {
    foreach ($c in @(Get-StoreCertificate $Store)) {
        if ($c.Thumbprint -eq $Thumbprint) { return $c }
    }
    return $null
}

function Find-BackEndRecord {
    foreach ($r in @(Get-SslRecord (Get-SslText))) {
        if ($r.endpoint -ceq $BackEndEndpoint) { return $r }
    }
    return $null
}

# The record of 0.0.0.0:444.

function Get-RecordArguments($Record) {
    # What netsh must be told to write this record. Flags that it cannot write are refused before anything is deleted.
    $flags = 0
    if ($null -ne $Record['flags']) { $flags = [int] $Record['flags'] }
    if (($flags -band (-bnot 3)) -ne 0) { Stop-Step 'unsupported' "the record has flags ($flags) that netsh cannot write" }
    $to = @('http', 'add', 'sslcert', "ipport=$BackEndEndpoint", ('certhash=' + (Assert-Thumbprint $Record.thumbprint)),
        ('appid=' + (Assert-AppId $Record.appid)), ('certstorename=' + (Assert-Store $Record.store)))
    if ($flags -band 1) { $to += 'dsmapperusage=enable' }
    if ($flags -band 2) { $to += 'clientcertnegotiation=enable' }
    return , $to
}

function Remove-BackEndRecord {
    # Answers with what was there.
    $old = Find-BackEndRecord
    if ($null -eq $old) { return @{ did = $false; old = $null; detail = 'there is no such record' } }
    $said = Invoke-Native $NetshExe @('http', 'delete', 'sslcert', "ipport=$BackEndEndpoint")
    if ($said.Code -ne 0) { Stop-Step 'failed' ('netsh could not delete the record: ' + ($said.Lines -join ' ').Trim()) }
    return @{ did = $true; old = $old; detail = 'the record is removed' }
}

function Set-BackEndRecord([string] $Thumbprint, [string] $Store, [string] $AppId, [int] $Flags) {
    # One operation: delete, add, read back. When the add fails, the old record is put back at once.
    $wanted = @{ thumbprint = $Thumbprint; store = $Store; appid = $AppId; flags = $Flags }
    $add = Get-RecordArguments $wanted
    $certificate = Find-StoreCertificate $Store $Thumbprint
    if ($null -eq $certificate) { Stop-Step 'not_found' "the certificate $Thumbprint is not in the store $Store" }
    if ((Get-KeyFact $certificate)['key_opens'] -ne $true) {
        Stop-Step 'failed' "the key of $Thumbprint does not open: HTTP.SYS would refuse it (1312)"
    }
    $back = $null
    $old = Find-BackEndRecord
    if ($null -ne $old) {
        $odd = Get-OddSetting $BackEndEndpoint
        if ($odd) { Stop-Step 'unsupported' "the record has a setting that would be lost: $odd" }
        $back = Get-RecordArguments $old
        $null = Remove-BackEndRecord
    }
    $said = Invoke-Native $NetshExe $add
    $now = Find-BackEndRecord
    if ($said.Code -eq 0 -and $null -ne $now -and $now.thumbprint -eq $Thumbprint) {
        return @{ did = $true; old = $old; detail = 'the record is set' }
    }
    $why = 'netsh could not set the record: ' + ($said.Lines -join ' ').Trim()
    if ($null -eq $back) { Stop-Step 'failed' "$why; there was no record before" }
    if ($null -ne $now) { $null = Remove-BackEndRecord }
    $again = Invoke-Native $NetshExe $back
    if ($again.Code -eq 0) { Stop-Step 'failed' "$why; the old record is back" }
    Stop-Step 'failed' "$why; the old record could not be put back either (HTTP.SYS takes no record of a certificate that it cannot load)"
}

function Restore-BackEndRecord($Old) {
    # Undo of Set-BackEndRecord: the old record, or none.
    if ($null -eq $Old) { return Remove-BackEndRecord }
    $flags = 0
    if ($null -ne $Old['flags']) { $flags = [int] $Old['flags'] }
    return Set-BackEndRecord $Old.thumbprint $Old.store $Old.appid $flags
}

# The https binding of the site 'Exchange Back End'. appcmd writes IIS's file and leaves HTTP.SYS's records alone.

function Find-BackEndBinding {
    foreach ($s in @(Get-IisSite)) {
        if ($s.name -cne $BackEndSite) { continue }
        foreach ($b in $s.bindings) {
            if ($b.protocol -eq 'https' -and $b.information -match ':444:[^:]*$') { return $b }
        }
        return $null
    }
    Stop-Step 'not_found' "IIS has no site '$BackEndSite'"
}

function Set-BackEndBinding([string] $Sign) {
    $change = "/${Sign}bindings.[protocol='https',bindingInformation='*:444:']"
    $said = Invoke-Native $AppcmdExe @('set', 'site', "/site.name:$BackEndSite", $change)
    if ($said.Code -ne 0) { Stop-Step 'failed' ('appcmd could not change the site: ' + ($said.Lines -join ' ').Trim()) }
}

function Add-BackEndBinding {
    $there = Find-BackEndBinding
    if ($null -ne $there) { return @{ did = $false; detail = "https $($there.information) is there already" } }
    Set-BackEndBinding '+'
    if ($null -eq (Find-BackEndBinding)) { Stop-Step 'failed' 'appcmd said yes, and the binding is not there' }
    return @{ did = $true; detail = 'the binding is added' }
}

function Remove-BackEndBinding {
    $there = Find-BackEndBinding
    if ($null -eq $there) { return @{ did = $false; detail = 'the binding is gone already' } }
    if ($there.information -cne '*:444:') { Stop-Step 'conflict' 'the binding is not the one that was added' }
    Set-BackEndBinding '-'
    return @{ did = $true; detail = 'the binding is removed' }
}

# A new certificate. Its key container is named after the repair: so a repeat finds it again, and only what is ours is ever removed.

function Get-ContainerName([string] $Token) { return 'evmend-' + (Assert-Token $Token) }

function Find-OurCertificate([string] $Token) {
    $container = Get-ContainerName $Token
    foreach ($c in @(Get-StoreCertificate 'MY')) {
        if ($c.HasPrivateKey -and (Get-KeyFact $c)['container'] -ceq $container) { return $c }
    }
    return $null
}

function New-ByCmdlet([string] $Name, [string[]] $Names, [int] $Bits, [int] $Days, [string] $Friendly, [string] $Container) {
    $plain = New-Object Security.Cryptography.X509Certificates.X509BasicConstraintsExtension ($false, $false, 0, $true)
    $from = (Get-Date).AddMinutes(-10)
    $ask = @{
        Subject = "CN=$Name"; DnsName = $Names; FriendlyName = $Friendly; Container = $Container
        CertStoreLocation = 'Cert:\LocalMachine\My'; NotBefore = $from; NotAfter = $from.AddDays($Days)
        Provider = 'Microsoft RSA SChannel Cryptographic Provider'; KeySpec = 'KeyExchange'; KeyLength = $Bits
        KeyExportPolicy = 'NonExportable'; HashAlgorithm = 'SHA256'; KeyUsage = 'DigitalSignature', 'KeyEncipherment'
        TextExtension = '2.5.29.37={text}1.3.6.1.5.5.7.3.1'; Extension = $plain; SuppressOid = '2.5.29.14' # no key identifier
    }
    $null = New-SelfSignedCertificate @ask
}

function New-ByCertreq([string] $Name, [string[]] $Names, [int] $Bits, [int] $Days, [string] $Friendly, [string] $Container) {
    # Server 2012 R2: its New-SelfSignedCertificate knows names and nothing else. 30 00: basic constraints, no CA. It begins now.
    $san = @($Names | ForEach-Object { '_continue_ = "dns=' + $_ + '&"' })
    $text = @(
        '[Version]', 'Signature = "$Windows NT$"', '[NewRequest]', "Subject = ""CN=$Name""", "FriendlyName = ""$Friendly""",
        "KeyContainer = ""$Container""", "KeyLength = $Bits", 'KeySpec = 1', 'KeyUsage = 0xA0', 'MachineKeySet = true',
        'Exportable = false', 'ProviderName = "Microsoft RSA SChannel Cryptographic Provider"', 'ProviderType = 12',
        'HashAlgorithm = sha256', 'RequestType = Cert', 'ValidityPeriod = Days', "ValidityPeriodUnits = $Days",
        'SuppressDefaults = true', '[Extensions]', '2.5.29.17 = "{text}"') + $san + @(
        '2.5.29.37 = "{text}1.3.6.1.5.5.7.3.1"', '2.5.29.19 = "{hex}30 00"', 'Critical = 2.5.29.19')
    $folder = Join-Path ([IO.Path]::GetTempPath()) ([IO.Path]::GetRandomFileName())
    $null = New-Item -ItemType Directory -Path $folder
    try {
        $inf = Join-Path $folder 'new.inf'
        [IO.File]::WriteAllLines($inf, [string[]] $text, [Text.Encoding]::ASCII)
        $said = Invoke-Native (Join-Path $System32 'certreq.exe') @('-new', '-q', $inf, (Join-Path $folder 'new.cer'))
        if ($said.Code -ne 0) { Stop-Step 'failed' ('certreq could not make the certificate: ' + ($said.Lines -join ' ').Trim()) }
    } finally {
        Remove-Item -LiteralPath $folder -Recurse
    }
}

function New-BackEndCertificate([string] $Name, [string[]] $Names, [int] $Bits, [int] $Days, [string] $Friendly, [string] $Token) {
    # As Exchange's setup makes it: RSA, the Schannel CSP, SHA-256, server authentication, no export; for no Exchange service.
    $null = Assert-HostName $Name
    foreach ($n in $Names) { $null = Assert-HostName $n }
    $null = Assert-Shape $Friendly '[A-Za-z0-9][A-Za-z0-9 ._-]{0,60}' 'the friendly name'
    if ($Bits -lt 2048 -or $Bits -gt 4096 -or $Days -lt 1 -or $Days -gt 1830) { Stop-Step 'bad_call' 'key length or days out of range' }
    if ((Get-Date).Year -lt 2024 -or (Get-Date).Year -gt 2080) { Stop-Step 'failed' 'the clock of this server cannot be right' }
    $container = Get-ContainerName $Token
    $made = Find-OurCertificate $Token
    if ($null -ne $made) {
        $found = $made.Thumbprint.ToLowerInvariant()
        return @{ did = $false; thumbprint = $found; detail = 'the certificate of this repair is there already' }
    }
    if ((Get-Command New-SelfSignedCertificate).Parameters.ContainsKey('KeyUsage')) {
        New-ByCmdlet $Name $Names $Bits $Days $Friendly $container
    } else {
        New-ByCertreq $Name $Names $Bits $Days $Friendly $container
    }
    $made = Find-OurCertificate $Token
    if ($null -eq $made) { Stop-Step 'failed' 'the certificate was made, and is not in the store' }
    return @{ did = $true; thumbprint = $made.Thumbprint.ToLowerInvariant(); detail = 'a certificate was made' }
}

function Remove-OurCertificate([string] $Thumbprint, [string] $Token) {
    $null = Assert-Thumbprint $Thumbprint
    $c = Find-StoreCertificate 'MY' $Thumbprint
    if ($null -eq $c) { return @{ did = $false; detail = 'the certificate is gone already' } }
    if ((Get-KeyFact $c)['container'] -cne (Get-ContainerName $Token)) {
        Stop-Step 'conflict' 'that certificate was not made by this repair'
    }
    foreach ($r in @(Read-SslText (Get-SslText))) {
        if ($r['thumbprint'] -eq $Thumbprint) { Stop-Step 'conflict' "that certificate is bound to $($r.endpoint)" }
    }
    Remove-Item -LiteralPath ('Cert:\LocalMachine\My\' + $c.Thumbprint) -DeleteKey
    return @{ did = $true; detail = 'the certificate and its key are removed' }
}

# A certificate and its key brought together again.

function Repair-CertificateKey([string] $Thumbprint) {
    $null = Assert-Thumbprint $Thumbprint
    $c = Find-StoreCertificate 'MY' $Thumbprint
    if ($null -eq $c) { Stop-Step 'not_found' 'the certificate is not in the store MY' }
    if ((Get-KeyFact $c)['key_matches'] -eq $true -and (Get-KeyFact $c)['key_opens'] -eq $true) {
        return @{ did = $false; thumbprint = $Thumbprint; detail = 'the key is fine already' }
    }
    $said = Invoke-Native $CertutilExe @('-repairstore', 'my', $Thumbprint)
    $c = Find-StoreCertificate 'MY' $Thumbprint
    if ($null -eq $c -or (Get-KeyFact $c)['key_opens'] -ne $true -or (Get-KeyFact $c)['key_matches'] -ne $true) {
        Stop-Step 'failed' "certutil -repairstore ended with code $($said.Code) and the key does not open"
    }
    return @{ did = $true; thumbprint = $Thumbprint; detail = 'the key is associated again' }
}

function Restore-Certificate([string] $Thumbprint) {
    # Only the public part is copied, from another store of this machine; certutil then looks for the key that stayed behind.
    $null = Assert-Thumbprint $Thumbprint
    if ($null -ne (Find-StoreCertificate 'MY' $Thumbprint)) { return Repair-CertificateKey $Thumbprint }
    $copy = $null
    foreach ($store in 'Root', 'CA', 'WebHosting') {
        if ($null -eq $copy) { $copy = Find-StoreCertificate $store $Thumbprint }
    }
    if ($null -eq $copy) { Stop-Step 'not_found' 'no public copy of this certificate is left' }
    $raw = $copy.RawData
    $public = New-Object Security.Cryptography.X509Certificates.X509Certificate2 (, $raw)
    $public.FriendlyName = $copy.FriendlyName
    $my = New-Object Security.Cryptography.X509Certificates.X509Store ('MY',
        [Security.Cryptography.X509Certificates.StoreLocation]::LocalMachine)
    $my.Open('ReadWrite')
    try {
        $my.Add($public)
        try {
            $null = Repair-CertificateKey $Thumbprint
        } catch {
            $my.Remove($public) # it was not there before
            throw
        }
    } finally {
        $my.Close()
    }
    return @{ did = $true; thumbprint = $Thumbprint; detail = 'the certificate is back with its key' }
}

function Restart-Iis {
    $said = Invoke-Native (Join-Path $System32 'iisreset.exe') @('/noforce')
    if ($said.Code -ne 0) { Stop-Step 'failed' ('iisreset /noforce ended with code ' + $said.Code) }
    return @{ did = $true; detail = 'IIS was restarted' }
}

function Enter-SingleFlight {
    # One at a time on this server. The lock ends with this process.
    $mutex = New-Object Threading.Mutex ($false, 'Global\evmend-exchange-back-end')
    try { $got = $mutex.WaitOne(0) } catch [Threading.AbandonedMutexException] { $got = $true }
    if (-not $got) {
        $mutex.Dispose()
        Stop-Step 'busy' 'another repair is at work on this server'
    }
    return $mutex
}
# --- what can be changed ends here ---

# --- the protocol ---

$Lock = $null # held until this process ends
$WarningPreference = 'SilentlyContinue' # standard output is the protocol's alone
$ProgressPreference = 'SilentlyContinue'
$VerbosePreference = 'SilentlyContinue'
$InformationPreference = 'SilentlyContinue'
$ConfirmPreference = 'None'
$MostLine = 4194304

function Write-Remark([string] $Text) { [Console]::Error.WriteLine($Text) }

function Get-Member2($Object, [string] $Name) {
    # A member of an object that ConvertFrom-Json made; $null when it is not there.
    if ($null -eq $Object) { return $null }
    $p = $Object.PSObject.Properties[$Name]
    if ($null -eq $p) { return $null }
    return $p.Value
}

function Get-Text($Object, [string] $Name) {
    $v = Get-Member2 $Object $Name
    if ($null -eq $v) { return '' }
    if ($v -isnot [string]) { Stop-Step 'bad_call' "$Name is no text" }
    return $v
}

function Get-Number($Object, [string] $Name, [int64] $Otherwise) {
    $v = Get-Member2 $Object $Name
    if ($null -eq $v) { return $Otherwise }
    if ($v -isnot [int] -and $v -isnot [int64]) { Stop-Step 'bad_call' "$Name is no whole number" }
    return [int64] $v
}

function Write-Answer($Answer) {
    $line = [Text.Encoding]::UTF8.GetBytes((ConvertTo-Json -InputObject $Answer -Depth 8 -Compress) + "`n")
    $script:Out.Write($line, 0, $line.Length)
    $script:Out.Flush()
}

# Observe: what cannot be read is left out, which means unknown.

function Get-Part([string] $Part, $Records) {
    switch ($Part) {
        'records' { return @{ list = @($Records) } }
        'certs' { return @{ list = @(Get-MachineCertificate $Records (Get-ServerIdentity)) } }
        'sites' { return @{ list = @(Get-IisSite) } }
        'services' { return @{ list = @(Get-ServiceFact) } }
        'pools' { return @{ list = @(Read-PoolText (Get-AppcmdText 'apppool')) } }
        'settings' { return @{ one = (Get-SettingFact) } }
        'itc' { return @{ one = (Get-TransportCertificate) } }
        'boot' { return @{ one = (Get-BootFact) } }
    }
    Stop-Step 'bad_call' 'observe was asked for a part that is not in the protocol'
}

function Get-Observation($Arguments) {
    $to = [ordered]@{}
    $parts = @(Get-Member2 $Arguments 'parts')
    $records = @()
    $known = $true
    try { $records = @(Get-SslRecord (Get-SslText)) } catch {
        $known = $false
        Write-Remark "records: $($_.Exception.Message)"
    }
    foreach ($part in $parts) {
        if ($part -isnot [string]) { Stop-Step 'bad_call' 'a part is no text' }
        # without the records nobody knows which copies in Root and CA matter
        if (-not $known -and 'records', 'certs' -contains $part) { continue }
        try {
            $got = Get-Part $part $records
            if ($got.ContainsKey('list')) { $to[$part] = $got.list } else { $to[$part] = $got.one }
        } catch {
            if ($_.Exception.Data['kind'] -eq 'bad_call') { throw }
            Write-Remark "${part}: $($_.Exception.Message)"
        }
    }
    return $to
}

function Get-ProbeAnswer($Arguments, [int64] $DeadlineMs) {
    $kind = Get-Text $Arguments 'kind'
    $address = Get-Text $Arguments 'address'
    $version = Get-Text $Arguments 'version'
    $path = Get-Text $Arguments 'path'
    $port = Get-Number $Arguments 'port' 0
    $ip = $null
    if (-not [Net.IPAddress]::TryParse($address, [ref] $ip)) { $null = Assert-HostName $address }
    if ($version -and 'default', '1.2' -cnotcontains $version) { Stop-Step 'bad_call' 'a probe is of version default or 1.2' }
    if ($path) { $null = Assert-Shape $path '/[A-Za-z0-9._~/-]{0,200}' 'the path' }
    if ($port -lt 0 -or $port -gt 65535) { Stop-Step 'bad_call' 'that is no port' }
    $name = (Get-ServerIdentity).fqdn
    if ($null -eq $ip) { $name = $address } # another server's back end is greeted by its own name
    $ms = [int] [Math]::Max(1000, [Math]::Min(10000, $DeadlineMs / 3))
    switch ($kind) {
        'backend' { if ($port -eq 0) { $port = 444 }; return Invoke-Probe $address $port $name $version $path $ms }
        'frontend' { if ($port -eq 0) { $port = 443 }; return Invoke-Probe $address $port $name $version $path $ms }
        'hop' { return Invoke-HopProbe $address $name $path $ms }
    }
    Stop-Step 'bad_call' 'a probe is of kind backend, frontend or hop'
}

# Steps. What a step needs is read and checked as a whole before the first thing runs.

function Get-StepRecord($Step) {
    $flags = Get-Number $Step 'flags' 0
    if ($flags -lt 0 -or $flags -gt 65535) { Stop-Step 'bad_call' 'flags are out of range' }
    $null = Assert-Endpoint (Get-Text $Step 'endpoint')
    return @{
        thumbprint = Assert-Thumbprint (Get-Text $Step 'thumbprint'); store = Assert-Store (Get-Text $Step 'store')
        appid = Assert-AppId (Get-Text $Step 'appid'); flags = [int] $flags
    }
}

function Assert-StepBinding($Step) {
    $null = Assert-Site (Get-Text $Step 'site')
    $b = Get-Member2 $Step 'binding'
    if ((Get-Text $b 'protocol') -cne 'https' -or (Get-Text $b 'information') -cne '*:444:' -or (Get-Number $b 'ssl_flags' 0) -ne 0) {
        Stop-Step 'bad_call' 'only the binding https *:444: without SNI is ever added'
    }
}

function Invoke-CreateStep($Step) {
    $t = Get-Member2 $Step 'template'
    $names = @(Get-Member2 $t 'san')
    foreach ($n in $names) {
        if ($n -isnot [string]) { Stop-Step 'bad_call' 'a name is no text' }
    }
    return New-BackEndCertificate (Get-Text $t 'common_name') $names ([int] (Get-Number $t 'key_bits' 0)) `
        ([int] (Get-Number $t 'days' 0)) (Get-Text $Step 'friendly_name') (Get-Text $Step 'token')
}

function ConvertTo-Answer($Result) {
    $to = [ordered]@{ did = [bool] $Result.did; detail = [string] $Result.detail }
    if ($Result.ContainsKey('thumbprint')) { $to.thumbprint = $Result.thumbprint }
    if ($Result.ContainsKey('old')) { $to.old = $Result.old }
    return $to
}

function Invoke-ApplyStep($Step) {
    switch (Get-Text $Step 'kind') {
        'record_set' { $r = Get-StepRecord $Step; return Set-BackEndRecord $r.thumbprint $r.store $r.appid $r.flags }
        'record_remove' { $null = Assert-Endpoint (Get-Text $Step 'endpoint'); return Remove-BackEndRecord }
        'site_binding_add' { Assert-StepBinding $Step; return Add-BackEndBinding }
        'cert_create' { return Invoke-CreateStep $Step }
        'cert_restore' { return Restore-Certificate (Assert-Thumbprint (Get-Text $Step 'thumbprint')) }
        'key_repair' { return Repair-CertificateKey (Assert-Thumbprint (Get-Text $Step 'thumbprint')) }
        'cert_remove_ours' {
            return Remove-OurCertificate (Assert-Thumbprint (Get-Text $Step 'thumbprint')) (Assert-Token (Get-Text $Step 'token'))
        }
        'iis_restart' { return Restart-Iis }
    }
    Stop-Step 'unsupported' 'this host does not know that step'
}

function Get-OldRecord($Was) {
    # The old record of a result, checked like a new one; $null: there was none.
    $old = Get-Member2 $Was 'old'
    if ($null -eq $old) { return $null }
    return Get-StepRecord $old
}

function Invoke-UndoStep($Step, $Was) {
    # Repeating it does no harm; what the step did not do is not undone.
    $nothing = @{ did = $false; detail = 'there is nothing to undo' }
    switch (Get-Text $Step 'kind') {
        'record_set' {
            $mine = Get-StepRecord $Step
            $old = Get-OldRecord $Was
            $now = Find-BackEndRecord
            if ($null -eq $now -and $null -eq $old) { return $nothing }
            if ($null -ne $now -and $null -ne $old -and $now.thumbprint -eq $old.thumbprint) { return $nothing }
            if ($null -ne $now -and $now.thumbprint -ne $mine.thumbprint) { Stop-Step 'conflict' 'the record is no longer the one that was set' }
            return Restore-BackEndRecord $old
        }
        'record_remove' {
            $old = Get-OldRecord $Was
            if ($null -eq $old) { return $nothing }
            if ($null -ne (Find-BackEndRecord)) { Stop-Step 'conflict' 'there is a record again' }
            return Restore-BackEndRecord $old
        }
        'site_binding_add' {
            Assert-StepBinding $Step
            if ((Get-Member2 $Was 'did') -ne $true) { return $nothing }
            return Remove-BackEndBinding
        }
        'cert_create' {
            return Remove-OurCertificate (Assert-Thumbprint (Get-Text $Was 'thumbprint')) (Assert-Token (Get-Text $Step 'token'))
        }
        'cert_restore' { return @{ did = $false; detail = 'what came back stays' } }
        'key_repair' { return @{ did = $false; detail = 'a key that opens stays so' } }
    }
    Stop-Step 'unsupported' 'that step has no undo'
}

function Invoke-Call([string] $Call, $Arguments, [int64] $DeadlineMs) {
    if ($ReadOnly -and 'apply', 'undo', 'lock' -contains $Call) { Stop-Step 'denied' 'this host was started with -ReadOnly' }
    switch ($Call) {
        'identity' {
            $to = Get-ServerIdentity
            $to.lab = $false
            return $to
        }
        'observe' { return Get-Observation $Arguments }
        'busy' { return Get-BusyFact }
        'probe' { return Get-ProbeAnswer $Arguments $DeadlineMs }
        'apply' { return ConvertTo-Answer (Invoke-ApplyStep (Get-Member2 $Arguments 'step')) }
        'undo' { return ConvertTo-Answer (Invoke-UndoStep (Get-Member2 $Arguments 'step') (Get-Member2 $Arguments 'was')) }
        'lock' {
            if ($null -eq $script:Lock) { $script:Lock = Enter-SingleFlight }
            return [ordered]@{}
        }
    }
    Stop-Step 'unsupported' 'this host does not know that call'
}

function Get-Answer([string] $Line) {
    $id = 0
    try {
        $call = ConvertFrom-Json -InputObject $Line
        $id = Get-Number $call 'id' 0
        $ok = Invoke-Call (Get-Text $call 'call') (Get-Member2 $call 'args') (Get-Number $call 'deadline_ms' 30000)
        return [ordered]@{ id = $id; ok = $ok }
    } catch {
        $kind = 'failed'
        $text = $_.Exception.Message
        foreach ($x in (Get-Chain $_.Exception)) {
            if ($x.Data['kind']) { $kind = $x.Data['kind']; $text = $x.Message }
            elseif ($x -is [UnauthorizedAccessException]) { $kind = 'denied' }
        }
        return [ordered]@{ id = $id; error = [ordered]@{ kind = $kind; text = ($text -replace '[\x00-\x1f]+', ' ') } }
    }
}

try {
    Assert-Surroundings
} catch {
    Write-Remark $_.Exception.Message
    exit 4
}
$Out = [Console]::OpenStandardOutput()
$In = New-Object IO.StreamReader ([Console]::OpenStandardInput(), (New-Object Text.UTF8Encoding $false))
$can = @('identity', 'observe', 'busy', 'probe')
if (-not $ReadOnly) { $can += 'apply', 'undo', 'lock' }
Write-Answer ([ordered]@{ evmend_host = 1; agent = 'host.ps1 0.1'; lab = $false; can = $can })
while ($null -ne ($line = $In.ReadLine())) {
    if ($line.Trim() -eq '') { continue }
    if ($line.Length -gt $MostLine) { exit 4 }
    Write-Answer (@(Get-Answer $line)[-1])
}
exit 0

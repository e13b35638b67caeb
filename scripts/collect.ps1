<#
collect.ps1 - gathers what a diagnosis of an Exchange server's port 444 needs, as one folder.

It only reads. It changes no setting, no certificate, no record, no service; it writes into its own folder and nowhere else.
It opens connections to ports 443 and 444 of this server, and asks Active Directory once for this server's own object.
Private keys stay where they are: each is asked to sign 20 zero bytes, and nothing of it is written.

    powershell -NoProfile -ExecutionPolicy Bypass -File .\collect.ps1 -Zip

Run it as administrator in Windows PowerShell 5.1 (4.0 will do, with .NET Framework 4.6 or later), 64-bit, on the server itself. Then, elsewhere:
    evmend diagnose --from FOLDER

Its authors had no Windows machine: it was NOT RUN ON WINDOWS yet. What cannot be read is left out, which means "unknown", and is
named in collect.log and in facts.json under "errors". The folder holds names, certificates and event logs of this server: treat it so.

  -OutDir  the folder to make; evmend-SERVER-TIME in the current folder when not given
  -Hours   how far back the event logs go (72)
  -Zip     also packs the folder
#>
#Requires -Version 4.0
[CmdletBinding()]
param(
    [string] $OutDir = '',
    [ValidateRange(1, 8760)] [int] $Hours = 72,
    [switch] $Zip
)
if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {
    Write-Host 'STOP: this PowerShell runs in a restricted language mode; run it where scripts may use .NET'
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

$MostEvents = 20000 # of each log
$Problems = New-Object Collections.ArrayList
$Facts = [ordered]@{ evmend_folder = 1; tool = 'collect.ps1 0.1'; collected_at = '' }

function Write-Log([string] $Text) {
    Write-Host $Text
    [IO.File]::AppendAllText((Join-Path $script:OutDir 'collect.log'), (ConvertTo-UtcText (Get-Date)) + ' ' + $Text + "`r`n")
}

function Add-Problem([string] $What, [string] $Why) {
    $text = $What + ': ' + ($Why -replace '\s+', ' ').Trim()
    if ($text.Length -gt 190) { $text = $text.Substring(0, 190) }
    if ($Problems.Count -lt 30) { $null = $Problems.Add($text) }
    Write-Log "  NOT READ  $text"
}

function Read-Part([string] $What, [scriptblock] $How) {
    # One thing that is looked at. What fails is left out of facts.json: unknown, never "no".
    Write-Log $What
    try { return & $How } catch { Add-Problem $What $_.Exception.Message }
}

function Set-Fact([string] $Name, $Value) {
    if ($null -ne $Value) { $Facts[$Name] = $Value }
}

function Get-List([string] $What, [int] $Most, [scriptblock] $Lister) {
    # A list, also when it is empty; $null when it could not be read. (Not $How: a block sees the variables of its callers.)
    $box = Read-Part $What { return @{ list = @(& $Lister) } }
    if ($null -eq $box) { return $null }
    if ($box.list.Count -gt $Most) {
        Add-Problem $What "there are $($box.list.Count), more than $Most"
        return $null
    }
    return , $box.list
}

function Get-ProbeList($Identity) {
    $name = $Identity.fqdn
    foreach ($a in $Identity.addresses) {
        foreach ($ask in @(
                @('backend', 'default', $BackEndPath, 444), @('backend', '1.2', '', 444),
                @('frontend', 'default', '', 443), @('frontend', '1.2', '', 443))) {
            $row = [ordered]@{ kind = $ask[0]; address = $a; version = $ask[1]; path = $ask[2] }
            $got = Invoke-Probe $a $ask[3] $name $ask[1] $ask[2] 5000
            foreach ($k in $got.Keys) { $row[$k] = $got[$k] }
            $row
        }
        $row = [ordered]@{ kind = 'hop'; address = $a; version = 'default'; path = $BackEndPath }
        $got = Invoke-HopProbe $a $name $BackEndPath 10000
        foreach ($k in $got.Keys) { $row[$k] = $got[$k] }
        $row
    }
}

function Save-Log([string] $Log, [string] $File) {
    # The newest events of a log, newest first, one XML element after the other; the texts of providers are not looked up.
    $ms = [int64] $Hours * 3600000
    $query = New-Object Diagnostics.Eventing.Reader.EventLogQuery ($Log,
        [Diagnostics.Eventing.Reader.PathType]::LogName, "*[System[TimeCreated[timediff(@SystemTime) <= $ms]]]")
    $query.ReverseDirection = $true
    $reader = New-Object Diagnostics.Eventing.Reader.EventLogReader $query
    $to = New-Object IO.StreamWriter ($File, $false, (New-Object Text.UTF8Encoding $false))
    $n = 0
    try {
        $to.WriteLine('<Events>')
        for ($ev = $reader.ReadEvent(); $null -ne $ev -and $n -lt $MostEvents; $ev = $reader.ReadEvent()) {
            $to.WriteLine($ev.ToXml())
            $ev.Dispose()
            $n++
        }
        $to.WriteLine('</Events>')
    } finally {
        $to.Close()
        $reader.Dispose()
    }
    Write-Log "  $n events of $Log"
    if ($n -eq $MostEvents) { Add-Problem $Log "only the newest $MostEvents events were taken" }
}

function Invoke-Collect {
    $identity = Read-Part 'names' { Get-ServerIdentity }
    if ($null -eq $identity) { throw 'this server does not tell its names: nothing can be collected' }
    $Facts.collected_at = ConvertTo-UtcText (Get-Date)
    $Facts.identity = $identity
    $netsh = Read-Part "HTTP.SYS's table" { return , (Get-SslText) }
    $records = $null
    if ($null -ne $netsh) {
        [IO.File]::WriteAllLines((Join-Path $OutDir 'netsh-sslcert.txt'), [string[]] $netsh)
        $records = Get-List 'records of 443 and 444' 32 { Get-SslRecord $netsh }
        Set-Fact 'records' $records
    }
    Set-Fact 'certs' (Get-List 'certificates and their keys' 256 { Get-MachineCertificate @($records | Where-Object { $_ }) $identity })
    Set-Fact 'sites' (Get-List 'sites' 8 { Get-IisSite })
    Set-Fact 'services' (Get-List 'services' 16 { Get-ServiceFact })
    Set-Fact 'pools' (Get-List 'application pools' 32 { Read-PoolText (Get-AppcmdText 'apppool') })
    Set-Fact 'settings' (Read-Part 'settings' { Get-SettingFact })
    Set-Fact 'itc' (Read-Part 'internal transport certificate (Active Directory)' { Get-TransportCertificate })
    Set-Fact 'boot' (Read-Part 'start of Windows, last update' { Get-BootFact })
    Set-Fact 'busy' (Read-Part 'installers, pending restart, maintenance' { Get-BusyFact })
    Set-Fact 'probes' (Get-List 'ports 443 and 444' 64 { Get-ProbeList $identity })
    $null = Read-Part 'applicationHost.config' { [IO.File]::Copy($IisConfig, (Join-Path $OutDir 'applicationHost.config')) }
    $null = New-Item -ItemType Directory -Path (Join-Path $OutDir 'events')
    foreach ($log in @(
            @('System', 'System.xml'), @('Application', 'Application.xml'), @('MSExchange Management', 'MSExchange-Management.xml'),
            @('Microsoft-Windows-CertificateServicesClient-Lifecycle-System/Operational', 'Lifecycle-System.xml'))) {
        $null = Read-Part "log $($log[0])" { Save-Log $log[0] (Join-Path (Join-Path $OutDir 'events') $log[1]) }
    }
    $Facts.errors = $Problems.ToArray()
    $json = ConvertTo-Json -InputObject $Facts -Depth 8
    [IO.File]::WriteAllText((Join-Path $OutDir 'facts.json'), $json, (New-Object Text.UTF8Encoding $false))
}

try {
    Assert-Surroundings
    if (-not $OutDir) {
        $OutDir = Join-Path (Get-Location).ProviderPath ('evmend-' + [Environment]::MachineName + '-' +
            (Get-Date).ToUniversalTime().ToString('yyyyMMddHHmmss'))
    }
    $OutDir = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($OutDir)
    if (Test-Path -LiteralPath $OutDir) { throw "$OutDir is there already; name another folder with -OutDir" }
    $null = New-Item -ItemType Directory -Path $OutDir
    Invoke-Collect
    Write-Log "done: $OutDir ($($Problems.Count) things could not be read)"
    if ($Zip) {
        Add-Type -AssemblyName System.IO.Compression.FileSystem
        [IO.Compression.ZipFile]::CreateFromDirectory($OutDir, "$OutDir.zip")
        Write-Host "packed: $OutDir.zip"
    }
    exit 0
} catch {
    Write-Host "STOP: $($_.Exception.Message)"
    exit 4
}

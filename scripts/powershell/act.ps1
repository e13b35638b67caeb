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

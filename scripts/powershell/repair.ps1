#@HEADER@
#Requires -Version 4.0
[CmdletBinding()]
param(
    [switch] $Apply,
    [string] $Folder = "$env:ProgramData\evmend",
    [ValidateRange(0, 600)] [int] $Settle = 60
)
if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {
    Write-Host 'STOP: this PowerShell runs in a restricted language mode; run it where scripts may use .NET'
    exit 4
}

# --- the plan, and what was true when it was made ---
#@DATA@

function Invoke-Plan {
#@STEPS@
}

#@LOOK@

#@ACT@

# --- the facts, read again ---

$Say = $null     # the journal, once there is one
$Wanted = $WantedThumbprint
$Replaced = $null # the record that Set-BackEndRecord found
$Differs = 0
$HopOpen = $false
$Lock = $null    # one repair at a time on this server

function Write-Line([string] $Text) {
    Write-Host $Text
    if ($null -eq $script:Say) { return }
    $line = [Text.Encoding]::UTF8.GetBytes((ConvertTo-UtcText (Get-Date)) + ' ' + $Text + "`r`n")
    $file = New-Object IO.FileStream ($script:Say, [IO.FileMode]::Append)
    $file.Write($line, 0, $line.Length)
    $file.Flush($true) # on disk before anything follows
    $file.Close()
}

function Compare-Fact([string] $Name, [string] $Was, [string] $Now, [switch] $MayBeSilent) {
    # Was is empty when the plan was made without knowing it: then there is nothing to compare. What was known and cannot be
    # read now is no fact of the plan any more, but for the hop, of which many front ends tell nothing.
    if (-not $Was -or ($MayBeSilent -and -not $Now)) { Write-Line "  not known   $Name (now: $Now)" }
    elseif ($Was -ceq $Now) { Write-Line "  the same    $Name" }
    else {
        if (-not $Now) { $Now = 'cannot be read' }
        Write-Line "  DIFFERS     $Name"
        Write-Line "              was: $Was"
        Write-Line "              now: $Now"
        $script:Differs++
    }
}

function Get-Words([string[]] $List) {
    # Sorted by character code, as the plan was
    $sorted = [string[]] @($List)
    [Array]::Sort($sorted, [StringComparer]::Ordinal)
    if ($sorted.Length -eq 0) { return 'none' }
    return $sorted -join ', '
}

function Get-RecordWords($Records) {
    return Get-Words @($Records | ForEach-Object {
            $_.endpoint + ' ' + [string] $_['thumbprint'] + ' ' + ([string] $_.store).ToUpperInvariant()
        })
}

function Get-StoreWords([string] $Store) {
    return Get-Words @(Get-StoreCertificate $Store | ForEach-Object { $_.Thumbprint.ToLowerInvariant() })
}

function Get-KeyWord([string] $Store, [string] $Thumbprint) {
    $c = Find-StoreCertificate $Store $Thumbprint
    if ($null -eq $c) { return 'no certificate' }
    $key = Get-KeyFact $c
    if (-not $key.has_key -or $key['key_opens'] -eq $false -or $key['key_matches'] -eq $false) { return 'no' }
    if ($key['key_opens'] -eq $true -and $key['key_matches'] -eq $true) { return 'yes' }
    return 'unknown'
}

function Get-BackEndWord {
    # What all addresses of 444 show: one word, or "mixed".
    $words = @($Addresses | ForEach-Object {
            $r = Invoke-Probe $_ 444 $ServerFqdn 'default' $BackEndPath 5000
            if ($r.tls -ne 'ok') { 'fails' } else { 'shows ' + (Get-LeafThumbprint $r) }
        } | Select-Object -Unique)
    if ($words.Count -ne 1) { return 'mixed' }
    return $words[0]
}

function Get-FrontEndWord([string] $Address) {
    # By the server's name it is the 443 that people meet; 127.0.0.1:443 is a record of its own.
    $r = Invoke-Probe $Address 443 $ServerFqdn 'default' '' 5000
    if ($r.tls -eq 'error' -or 'ok', 'refused' -cnotcontains $r.tcp) { return '' } # cannot be told, such as a name that leads nowhere
    if ($r.tls -ne 'ok') { return 'fails' }
    return 'shows ' + (Get-LeafThumbprint $r)
}

function Get-LeafThumbprint($Result) {
    if (-not $Result['leaf']) { return 'nothing' }
    $der = [Convert]::FromBase64String(($Result['leaf'] -replace '-----[A-Z ]+-----', '' -replace '\s', ''))
    return ConvertTo-Hex ([Security.Cryptography.SHA1]::Create().ComputeHash($der))
}

function Get-HopWord {
    $r = Invoke-HopProbe $ServerFqdn $ServerFqdn $BackEndPath 10000
    if ($r.tls -ne 'ok') { return 'unknown' }
    if ($r['answer_header'] -match '(?m)^X-BEServer:') { return 'yes' }
    return 'no'
}

function Get-SiteWords {
    foreach ($s in @(Get-IisSite)) {
        if ($s.name -ceq $BackEndSite) {
            return Get-Words @($s.bindings | Where-Object { $_.protocol -eq 'https' } |
                    ForEach-Object { $_.information + ' ' + $_.ssl_flags })
        }
    }
    return 'no such site'
}

function Get-SiteState {
    foreach ($s in @(Get-IisSite)) {
        if ($s.name -cne $BackEndSite -or -not $s.Contains('started')) { continue }
        if ($s.started) { return 'started' }
        return 'stopped'
    }
    return ''
}

function Test-AllFacts {
    $me = Get-ServerIdentity
    Compare-Fact 'name of this server' ($ServerNetbios + ' ' + $ServerFqdn).ToLowerInvariant() ($me.netbios + ' ' + $me.fqdn).ToLowerInvariant()
    if ($script:Differs) { return } # another server: its facts say nothing
    Compare-Fact 'records of 443 and 444' $WasRecords (Get-RecordWords @(Get-SslRecord (Get-SslText)))
    Compare-Fact 'certificates of the store MY' $WasMy (Get-StoreWords 'MY')
    foreach ($k in $WasKeys) {
        Compare-Fact "key of $($k.Thumbprint) in $($k.Store)" $k.Usable (Get-KeyWord $k.Store $k.Thumbprint)
    }
    Compare-Fact "https bindings of '$BackEndSite'" $WasBindings (Get-SiteWords)
    Compare-Fact "state of '$BackEndSite'" $WasSite (Get-SiteState)
    Compare-Fact 'W3SVC' $WasW3svc ([string] (Get-Service -Name 'W3SVC').Status)
    Compare-Fact 'port 444' $WasBackEnd (Get-BackEndWord)
    Compare-Fact 'port 443' $WasFrontEnd (Get-FrontEndWord $ServerFqdn)
    Compare-Fact 'port 443 of 127.0.0.1' $WasFrontEndLocal (Get-FrontEndWord '127.0.0.1')
    $hop = Get-HopWord
    if ($hop -eq 'unknown' -and $Verdict -ne 'HOP_BROKEN') { $hop = '' } # many front ends do not tell
    Compare-Fact 'a request through the front end reaches the back end' $WasHop $hop -MayBeSilent
    if ($Wanted -and $WantedIsOther) {
        $c = Find-StoreCertificate $WantedStore $Wanted
        $good = $null -ne $c -and $c.NotBefore -le (Get-Date) -and $c.NotAfter -ge (Get-Date).AddDays(29)
        Compare-Fact 'the certificate to bind is there and valid for 29 days or more' 'yes' $(if ($good) { 'yes' } else { 'no' })
    }
}

# --- before, steps, proof ---

function Save-Before {
    # What stood there before anything was changed.
    $place = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Folder) # PowerShell's place is not the process's
    $at = Join-Path $place ($PlanId.Substring(0, 12) + '-' + (Get-Date).ToUniversalTime().ToString('yyyyMMddHHmmss'))
    $null = New-Item -ItemType Directory -Path $at
    $script:Say = Join-Path $at 'journal.txt'
    Write-Line "plan $PlanId, verdict $Verdict; what stood there before is in $at"
    $records = Get-SslText
    [IO.File]::WriteAllLines((Join-Path $at 'netsh-sslcert.txt'), [string[]] $records)
    $key = 'HKLM\SYSTEM\CurrentControlSet\Services\HTTP\Parameters\SslBindingInfo'
    $said = Invoke-Native (Join-Path $System32 'reg.exe') @('export', $key, (Join-Path $at 'SslBindingInfo.reg'), '/y')
    # while there is no record at all, that key need not be there
    if ($said.Code -ne 0 -and @(Read-SslText $records).Count -ne 0) {
        throw 'the registry could not be exported; nothing was changed'
    }
    [IO.File]::Copy($IisConfig, (Join-Path $at 'applicationHost.config'))
    $mine = @(Get-StoreCertificate 'MY' | ForEach-Object {
            $_.Thumbprint + ' ' + $_.NotAfter.ToString('yyyy-MM-dd') + ' ' + [string] (Get-KeyFact $_)['container'] + ' ' + $_.FriendlyName
        })
    [IO.File]::WriteAllLines((Join-Path $at 'store-my.txt'), [string[]] $mine)
}

function Start-Step([int] $Number, [string] $What) { Write-Line "step $Number begins: $What" }

function Complete-Step([int] $Number, $Result) {
    if ($Result.ContainsKey('thumbprint')) { $script:Wanted = $Result.thumbprint }
    if ($Result.ContainsKey('old')) { $script:Replaced = $Result.old }
    $which = ''
    if ($Result['thumbprint']) { $which = ' (' + $Result['thumbprint'] + ')' }
    Write-Line "step $Number is done: $($Result.detail)$which"
}

function Test-Check([string] $Name, [bool] $Good, [string] $Seen) {
    Write-Line ('  ' + $(if ($Good) { 'passed' } else { 'FAILED' }) + "   ${Name}: $Seen")
    return $Good
}

function Test-Proof {
    # A step that was answered with "done" proves nothing: the service is used, and the neighbours are as they were.
    $good = $true
    $now = @(Get-SslRecord (Get-SslText))
    $mine = Find-BackEndRecord
    $seen = 'no record'
    if ($null -ne $mine) { $seen = [string] $mine['thumbprint'] }
    $good = (Test-Check 'the record of 444 read back' ($seen -eq $script:Wanted) $seen) -and $good
    foreach ($a in $Addresses) {
        $r = Invoke-Probe $a 444 $ServerFqdn 'default' $BackEndPath 10000
        $leaf = Get-LeafThumbprint $r
        $good = (Test-Check "444 on $a shows the new certificate" ($leaf -eq $script:Wanted) "$($r.tls) $leaf") -and $good
        $status = [int] $r['http_status']
        $good = (Test-Check "444 on $a answers a request" ($status -ne 0 -and $status -ne 503) "status $status") -and $good
    }
    $others = Get-RecordWords @($now | Where-Object { $_.endpoint -cne $BackEndEndpoint })
    $good = (Test-Check 'the other records are unchanged' ($others -ceq $WasOtherRecords) $others) -and $good
    foreach ($f in @(@($ServerFqdn, $WasFrontEnd), @('127.0.0.1', $WasFrontEndLocal))) {
        if ($f[1] -cnotlike 'shows *') { continue } # a key that comes back may mend more than 444
        $front = Get-FrontEndWord $f[0]
        $good = (Test-Check "443 of $($f[0]) shows what it showed before" ($front -ceq $f[1]) $front) -and $good
    }
    $gone = @($WasMy -split ', ' | Where-Object { $_ -ne 'none' -and $null -eq (Find-StoreCertificate 'MY' $_) })
    $good = (Test-Check 'no certificate is gone' ($gone.Count -eq 0) "$($gone.Count) are gone") -and $good
    $hop = Get-HopWord
    $script:HopOpen = $hop -eq 'no'
    if ($hop -eq 'unknown') { Write-Line '  unknown  the hop is not proven: open OWA or the shell once' }
    elseif ($hop -eq 'no') { Write-Line '  OPEN     the front end does not reach 444: iisreset /noforce at a quiet time may help' }
    else { Write-Line '  passed   a request through the front end is answered by the back end' }
    return $good
}

function Wait-BackEnd {
    # Workers that were just started take their time: at most two minutes until 444 answers anything.
    $until = (Get-Date).AddMinutes(2)
    do {
        $r = Invoke-Probe $Addresses[0] 444 $ServerFqdn 'default' $BackEndPath 10000
        if ([int] $r['http_status'] -ne 0 -and [int] $r['http_status'] -ne 503) { return }
        Start-Sleep -Seconds 2
    } while ((Get-Date) -lt $until)
}

function Undo-Failed {
    # Going back only to what was seen to work.
    if (-not $BeforeWorked -or $null -eq $script:Replaced) {
        Write-Line ('A person is needed. Nothing is taken back: what stood there before cannot be set again, or did not work. ' +
            'The undo of each step is in this script.')
        return 8
    }
    try {
        $null = Restore-BackEndRecord $script:Replaced
    } catch {
        Write-Line "FAILED: the old record could NOT be put back: $($_.Exception.Message)"
        Write-Line 'A person is needed. See the journal, and what is kept beside it.'
        return 8
    }
    Write-Line 'The old record of 444 is back.'
    return 7
}

function Complete-Repair {
    # After the steps.
    Wait-BackEnd
    Write-Line 'Proof:'
    if (-not (Test-Proof)) { return Undo-Failed }
    if ($Settle -gt 0) {
        Write-Line "Quiet for $Settle seconds, then once more:"
        Start-Sleep -Seconds $Settle
        if (-not (Test-Proof)) { return Undo-Failed }
    }
    if ($script:HopOpen) {
        Write-Line 'A person is needed: 444 works, and requests through the front end do not reach it yet.'
        return 8
    }
    Write-Line 'Done: 444 shows the wanted certificate and answers; 443 is unchanged.'
    return 0
}

function Invoke-Repair {
    Assert-Surroundings
    $script:Lock = Enter-SingleFlight
    Write-Line "Verdict $Verdict, plan $PlanId. The facts, read again:"
    Test-AllFacts
    if ($script:Differs) {
        Write-Line 'STOP: the facts are not those of the plan. Nothing was changed. Collect again and make a new plan.'
        return 6
    }
    $busy = Get-BusyFact
    if ($busy.state -ne 'free') {
        Write-Line "STOP: $($busy.what). Nothing was changed."
        return 6
    }
    if (-not $Apply) {
        Write-Line 'The facts are those of the plan. Nothing was changed; -Apply does the steps.'
        return 0
    }
    Save-Before
    try {
        Invoke-Plan
    } catch {
        Write-Line "FAILED: $($_.Exception.Message)"
        Write-Line 'A person is needed. What was done is in the journal, the undo of each step in this script.'
        return 8
    }
    try {
        return Complete-Repair
    } catch {
        Write-Line "FAILED after changes: $($_.Exception.Message)"
        Write-Line 'A person is needed: the steps were done and not proven. See the journal.'
        return 8
    }
}

function Invoke-AndRelease {
    try {
        return Invoke-Repair
    } catch {
        Write-Line "STOP: $($_.Exception.Message)"
        return 4
    } finally {
        # a window that stays open would hold it, and this is run twice: without -Apply, then with it
        if ($null -ne $script:Lock) {
            try { $script:Lock.ReleaseMutex() } catch { Write-Host "The lock was not ours: $($_.Exception.Message)" }
            $script:Lock.Dispose()
        }
    }
}

exit (Invoke-AndRelease)

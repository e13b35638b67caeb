# Repair of EX1 (ex1.lab.example)
#
# Read it, then run it on that server, in Windows PowerShell as administrator:
#   powershell -NoProfile -ExecutionPolicy Bypass -File .\repair.ps1
#       reads every fact again and compares; changes nothing
#   powershell -NoProfile -ExecutionPolicy Bypass -File .\repair.ps1 -Apply
#       does the steps below, if no fact differs, and proves the result
# Its authors had no Windows machine: it was NOT RUN ON WINDOWS. Try it on a test server first.
# Written by evmend. It never changes port 443, deletes no certificate, and enables none for an Exchange service.
#
# Verdict: BE_CERT_LATENT (R0a)
#          The certificate of port 444 or its key is gone, but HTTP.SYS still serves it from its cache: the next
#          restart or iisreset breaks the server.
# Plan:    5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c
# Made of facts of: 2027-01-15T08:00:00.000000Z
#   yes     names_known                EX1, ex1.lab.example
#   yes     is_exchange                ex1.lab.example is an Exchange server
#   yes     site_exists                the site 'Exchange Back End' is there
#   yes     site_started               the site 'Exchange Back End' is started
#   yes     binding_444                https *:444: sslFlags 0
#   yes     binding_plain              https *:444: sslFlags 0
#   yes     w3svc_running              W3SVC is running
#   yes     pools_started              all application pools of Exchange run
#   yes     record_present             0.0.0.0:444 -> a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a101, store MY
#   no      record_other               no other record for port 444
#   no      record_specific            no record for an address
#   no      record_shadowed            no record stands in front
#   no      record_cert_in_store       a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a101 is not in store MY
#   no      record_cert_elsewhere      a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a101 is in no other store with its key
#   no      public_copy                no public copy is there
#   yes     record_443                 0.0.0.0:443 -> a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a202, store MY
#   yes     record_443_usable          a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a202 is in store MY, its key opens
#   no      record_local_443           no record for 127.0.0.1:443
#   yes     addresses_agree            127.0.0.1: ok, ::1: ok
#   yes     backend_listens            127.0.0.1: ok, ::1: ok
#   no      backend_refuses            127.0.0.1: ok, ::1: ok
#   yes     backend_tls                127.0.0.1: ok, ::1: ok
#   yes     backend_tls12              TLS 1.2: 127.0.0.1: ok, ::1: ok
#   no      tls_cut                    127.0.0.1: ok, ::1: ok
#   no      tls_timeout                127.0.0.1: ok, ::1: ok
#   no      tls_protocol_alert         127.0.0.1: ok, ::1: ok
#   no      tls12_only_fails           TLS 1.2: 127.0.0.1: ok, ::1: ok
#   yes     backend_answers            GET /owa/exhealth.check: 127.0.0.1: status 200, ::1: status 200
#   no      backend_503                GET /owa/exhealth.check: 127.0.0.1: status 200, ::1: status 200
#   yes     served_own                 444 shows a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a101,
#   yes     served_by_record           444 shows a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a101
#   yes     served_valid               valid until 2029-10-11T08:00:00.000000Z
#   no      served_ends_soon           valid until 2029-10-11T08:00:00.000000Z
#   no      served_ends_90             valid until 2029-10-11T08:00:00.000000Z
#   no      served_in_store            a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a101 is not in store MY
#   no      served_weak                sha256WithRSAEncryption, RSA 2048 bit
#   yes     frontend_listens           ok
#   yes     frontend_tls               ok a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a202
#   yes     frontend_valid             , valid until 2027-11-11T08:00:00.000000Z
#   yes     frontend_local_tls         ok a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a202
#   yes     hop_answers                status 200, answered by the back end
#   yes     internal_untrusted_allowed AllowInternalUntrustedCerts is 1 or absent
#   yes     smtp_name_there            a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a303
#   yes     smtp_key_there             a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a303 passes
#   yes     smtp_kind_fits             a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a303 passes
#   yes     smtp_date_fits             a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a303 passes
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
$PlanId = '5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c'
$Verdict = 'BE_CERT_LATENT'
$Token = 'plan-5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c' # finds our own certificate again when this is run twice
$ServerNetbios = 'EX1'
$ServerFqdn = 'ex1.lab.example'
$Addresses = @('127.0.0.1', '::1')
$WantedThumbprint = '' # what 444 must show in the end; not known before the certificate is made
$WantedStore = 'MY'
$WantedIsOther = $false # it is another certificate than the record's
$BeforeWorked = $false # 444 worked: only then is anything taken back
$WasRecords = '0.0.0.0:443 a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a202 MY, 0.0.0.0:444 a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a101 MY'
$WasOtherRecords = '0.0.0.0:443 a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a202 MY'
$WasMy = 'a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a202, a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a303'
$WasKeys = @()
$WasBindings = '*:444: 0'
$WasW3svc = 'Running'
$WasSite = 'started'
$WasHop = 'yes'
$WasBackEnd = 'shows a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a101'
$WasFrontEnd = 'shows a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a202'
$WasFrontEndLocal = 'shows a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a202'

function Invoke-Plan {
    # Step 1 of 2: Create a self-signed certificate CN=EX1, names EX1 and ex1.lab.example, RSA 2048, SHA-256, 1826
    #              days
    #   why:            port 444 is served from HTTP.SYS's cache only: the next restart breaks it
    #   before:         no certificate of store MY is this server's own, good for the time, and with a key that
    #                   opens
    #   after:          one certificate more in store MY, 'Microsoft Exchange', its key not exportable; it serves
    #                   nothing yet
    #   undo, exact:    remove that certificate and its key, if it is the one that this step made and it is bound
    #                   nowhere
    #                   only if its thumbprint is the one in journal.txt, and 'netsh http show sslcert' does not
    #                   name it:
    #                   Remove-Item Cert:\LocalMachine\My\THUMBPRINT -DeleteKey
    Start-Step 1 'cert_create'
    $result = New-BackEndCertificate 'EX1' @('EX1', 'ex1.lab.example') 2048 1826 'Microsoft Exchange' $Token
    Complete-Step 1 $result

    # Step 2 of 2: Bind the new certificate to 0.0.0.0:444
    #   why:            port 444 is served from HTTP.SYS's cache only: the next restart breaks it
    #   before:         0.0.0.0:444 -> a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a101, store MY, flags 0
    #   after:          0.0.0.0:444 -> the new certificate, store MY, flags 0
    #   undo, in part:  the old record is kept as text, but cannot be set again: the certificate
    #                   a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a101 is not in its store (HTTP.SYS answers 1312)
    #                   (no command: the old certificate cannot be loaded. Do NOT delete the new record. It was:
    #                   a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a101, store MY, appid
    #                   {4dc3e181-e14b-4a21-b022-59fc669b0914}; it is kept in the journal's folder:
    #                   netsh-sslcert.txt, SslBindingInfo.reg)
    Start-Step 2 'record_set'
    $result = Set-BackEndRecord $script:Wanted 'MY' '{4dc3e181-e14b-4a21-b022-59fc669b0914}' 0
    Complete-Step 2 $result
}

# (here follow powershell/look.ps1, act.ps1 and the rest of repair.ps1, the same in every script)

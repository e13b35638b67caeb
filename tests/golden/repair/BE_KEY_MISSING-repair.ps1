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
# Verdict: BE_KEY_MISSING (R7)
#          The certificate of port 444 is there, but its private key is gone, does not open or belongs to another
#          certificate.
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
#   yes     record_cert_in_store       a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a101 is in store MY
#   no      record_cert_elsewhere      a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a101 is in no other store with its key
#   no      public_copy                no public copy is there
#   no      record_key_usable          private key: there no, opens no, matches yes
#   no      record_key_there           a key is not named
#   no      record_key_opens           Microsoft RSA SChannel Cryptographic Provider
#   yes     record_key_matches         Microsoft RSA SChannel Cryptographic Provider
#   yes     record_443                 0.0.0.0:443 -> a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a202, store MY
#   yes     record_443_usable          a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a202 is in store MY, its key opens
#   no      record_local_443           no record for 127.0.0.1:443
#   yes     addresses_agree            127.0.0.1: reset, ::1: reset
#   yes     backend_listens            127.0.0.1: reset, ::1: reset
#   no      backend_refuses            127.0.0.1: reset, ::1: reset
#   no      backend_tls                127.0.0.1: reset, ::1: reset
#   no      backend_tls12              TLS 1.2: 127.0.0.1: reset, ::1: reset
#   yes     tls_cut                    127.0.0.1: reset, ::1: reset
#   no      tls_timeout                127.0.0.1: reset, ::1: reset
#   no      tls_protocol_alert         127.0.0.1: reset, ::1: reset
#   no      tls12_only_fails           TLS 1.2: 127.0.0.1: reset, ::1: reset
#   yes     frontend_listens           ok
#   yes     frontend_tls               ok a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a202
#   yes     frontend_valid             , valid until 2027-11-11T08:00:00.000000Z
#   yes     frontend_local_tls         ok a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a202
#   no      hop_answers                status 500, not from the back end
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
$Verdict = 'BE_KEY_MISSING'
$Token = 'plan-5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c' # finds our own certificate again when this is run twice
$ServerNetbios = 'EX1'
$ServerFqdn = 'ex1.lab.example'
$Addresses = @('127.0.0.1', '::1')
$WantedThumbprint = 'a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a101' # what 444 must show in the end
$WantedStore = 'MY'
$WantedIsOther = $false # it is another certificate than the record's
$BeforeWorked = $false # 444 worked: only then is anything taken back
$WasRecords = '0.0.0.0:443 a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a202 MY, 0.0.0.0:444 a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a101 MY'
$WasOtherRecords = '0.0.0.0:443 a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a202 MY'
$WasMy = 'a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a101, a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a202, a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a303'
$WasKeys = @(
    @{ Store = 'MY'; Thumbprint = 'a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a101'; Usable = 'no' }
)
$WasBindings = '*:444: 0'
$WasW3svc = 'Running'
$WasSite = 'started'
$WasHop = 'no'
$WasBackEnd = 'fails'
$WasFrontEnd = 'shows a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a202'
$WasFrontEndLocal = 'shows a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a202'

function Invoke-Plan {
    # Step 1 of 1: Join a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a101 in store MY with its private key again, as
    #              'certutil -repairstore my' does
    #   why:            the certificate of port 444 has no private key that opens and matches
    #   before:         a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a101 is in store MY, but is not joined with its own key
    #   after:          the key of a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a101 opens; the record for 0.0.0.0:444 stays
    #                   as it is
    #   undo:           none: a key that opens again stays so
    Start-Step 1 'key_repair'
    $result = Repair-CertificateKey 'a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a101'
    Complete-Step 1 $result
}

# (here follow powershell/look.ps1, act.ps1 and the rest of repair.ps1, the same in every script)

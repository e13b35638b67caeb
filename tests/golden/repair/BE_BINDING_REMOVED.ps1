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
# Verdict: BE_BINDING_REMOVED (R3)
#          The site 'Exchange Back End' has lost its https binding for port 444.
# Plan:    5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c
# Made of facts of: 2027-01-15T08:00:00.000000Z
#   yes     names_known                EX1, ex1.lab.example
#   yes     is_exchange                ex1.lab.example is an Exchange server
#   yes     site_exists                the site 'Exchange Back End' is there
#   yes     site_started               the site 'Exchange Back End' is started
#   no      binding_444                no https binding with port 444
#   yes     w3svc_running              W3SVC is running
#   yes     pools_started              all application pools of Exchange run
#   yes     record_present             0.0.0.0:444 -> a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a101, store MY
#   no      record_other               no other record for port 444
#   no      record_specific            no record for an address
#   no      record_shadowed            no record stands in front
#   yes     record_cert_in_store       a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a101 is in store MY
#   no      record_cert_elsewhere      a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a101 is in no other store with its key
#   no      public_copy                no public copy is there
#   yes     record_key_usable          private key: there yes, opens yes, matches yes
#   yes     record_key_there           a key is named
#   yes     record_key_opens           Microsoft RSA SChannel Cryptographic Provider
#   yes     record_key_matches         Microsoft RSA SChannel Cryptographic Provider
#   yes     record_443                 0.0.0.0:443 -> a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a202, store MY
#   yes     record_443_usable          a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a202 is in store MY, its key opens
#   no      record_local_443           no record for 127.0.0.1:443
#   yes     addresses_agree            127.0.0.1: refused, ::1: refused
#   no      backend_listens            127.0.0.1: refused, ::1: refused
#   yes     backend_refuses            127.0.0.1: refused, ::1: refused
#   no      backend_tls                127.0.0.1: refused, ::1: refused
#   no      backend_tls12              127.0.0.1: refused, ::1: refused
#   no      tls_cut                    127.0.0.1: refused, ::1: refused
#   no      tls_timeout                127.0.0.1: refused, ::1: refused
#   no      tls_protocol_alert         127.0.0.1: refused, ::1: refused
#   no      tls12_only_fails           127.0.0.1: refused, ::1: refused
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
$Verdict = 'BE_BINDING_REMOVED'
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
    @{ Store = 'MY'; Thumbprint = 'a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a101'; Usable = 'yes' }
)
$WasBindings = 'none'
$WasW3svc = 'Running'
$WasSite = 'started'
$WasHop = 'no'
$WasBackEnd = 'fails'
$WasFrontEnd = 'shows a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a202'
$WasFrontEndLocal = 'shows a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a202'

function Invoke-Plan {
    # Step 1 of 1: Add the binding https *:444: to the site 'Exchange Back End'
    #   why:            without this binding nothing listens on port 444
    #   before:         the site has no https binding with port 444
    #   after:          https *:444:, no host name, sslFlags 0
    #   undo, exact:    remove that binding again
    #                   & "$env:windir\System32\inetsrv\appcmd.exe" set site '/site.name:Exchange Back End' "/-bindings.[protocol='https',bindingInformation='*:444:']"
    Start-Step 1 'site_binding_add'
    $result = Add-BackEndBinding
    Complete-Step 1 $result
}

# (here follow powershell/look.ps1, act.ps1 and the rest of repair.ps1, the same in every script)

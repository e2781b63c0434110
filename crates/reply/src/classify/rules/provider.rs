//! Providers' own codes and fixed texts. They mean just one thing, whatever words
//! stand beside them. Enhanced codes that only one provider uses stand in `codes`.

use super::{Rank::*, Rule, rule};
use crate::Cause::*;

pub(super) const RULES: &[Rule] = &[
    // ── Microsoft ────────────────────────────────────────────────────────────────
    rule(
        "microsoft-directory-block", Provider, MailboxUnknown, &[PolicyRefused],
        &["recipient address rejected: access denied. as(", "5.4.1 .. recipient address rejected: access denied", "5.4.1 recipient address rejected"],
        &["550 5.4.1 Recipient address rejected: Access denied. AS(201806281) [DB0.example.com]"],
    ).permanent(),
    rule(
        "microsoft-list-s31", Provider, HostBlocklisted, &[ReputationPoor],
        &["(s3140)", "(s3150)", "s3140", "s3150", "as3140", "as3150", "block list (s3", "part of their network is on our block list"],
        &["550 5.7.1 Messages from [192.0.2.8] weren't sent; your network is on a list (S3150). [AM0.example.com]"],
    ),
    rule(
        "microsoft-list-request", Provider, HostBlocklisted, &[ReputationPoor, SenderRefused],
        &["banned sending ip", "banned sender[", "banned sender [", "access denied, banned", "forward this message to delist*"],
        &["550 5.7.606 Access denied, banned sending IP [192.0.2.8]"],
    ),
    rule(
        "microsoft-hourly-limits", Provider, RateLimited, &[ReputationPoor],
        &["rp 001", "we have limits for how many messages"],
        &["421 RP-001 (BAY0) Some messages were not sent: RP-001"],
    ),
    rule(
        "microsoft-reputation", Provider, ReputationPoor, &[RateLimited, HostBlocklisted],
        &["rp 002", "rp 003", "dy 001", "dy 002", "sc 001", "sc 004", "ou 002"],
        &["421 RP-002 (BAY0) the mailing host shows bad behaviour", "550 DY-001 (BAY0) unfortunately"],
    ),
    rule(
        "microsoft-server-busy", Provider, RateLimited, &[ServerBusy, ReputationPoor],
        &["server busy .. (s77719)", "server busy .. (as7", "server busy. please try again later from ["],
        &["451 4.7.500 Server busy. Please try again later from [192.0.2.8]. (AS77712)"],
    ).transient(),
    rule(
        "microsoft-tenant-policy", Provider, PolicyRefused, &[MailboxPrivate, ContentRefused],
        &["the user or domain that you are sending to (or from) has a policy"],
        &["550 5.7.1 The user or domain that you are sending to (or from) has a policy that prohibited it"],
    ),
    rule(
        "exchange-thread-limit", Provider, RateLimited, &[MailboxBusy, TooManyConnections],
        &["storedrv .. thread limit exceeded", "storedrv .. concurrent connections", "storedrv .. limit exceeded"],
        &["432 4.3.2 STOREDRV.Deliver; recipient thread limit exceeded"],
    ).transient(),
    rule(
        "exchange-sender-unregistered", Provider, PolicyRefused, &[SenderRefused],
        &["sending from unregistered domains", "unregistered domain"],
        &["550 5.7.750 Client blocked from sending from unregistered domain"],
    ),
    rule(
        "exchange-from-header", Provider, MessageMalformed, &[],
        &["include a valid from address"],
        &["550 5.7.512 message must include a valid From address"],
    ),

    // ── Gmail ────────────────────────────────────────────────────────────────────
    rule("gmail-mailbox-full", Provider, MailboxFull, &[], &["p=overquota*"], &["452-4.2.2 see\n452 4.2.2 https://support.google.com/mail/?p=OverQuotaTemp abc.1 - gsmtp"]),
    rule("gmail-disabled", Provider, MailboxDisabled, &[], &["p=disableduser*"], &["550 5.2.1 https://support.google.com/mail/?p=DisabledUser abc.1 - gsmtp"]),
    rule("gmail-no-such-user", Provider, MailboxUnknown, &[], &["p=nosuchuser*", "answer=6596", "answer/6596"], &["550 5.1.1 https://support.google.com/mail/?p=NoSuchUser abc.1 - gsmtp"]),
    rule("gmail-rate", Provider, RateLimited, &[MailboxBusy], &["p=receivingrate*"], &["450 4.2.1 https://support.google.com/mail/?p=ReceivingRate abc.1 - gsmtp"]),
    rule("gmail-unsolicited-rate", Provider, RateLimited, &[HostBlocklisted, ReputationPoor], &["p=unsolicitedratelimit*", "p=unsolicitedip*"], &["421 4.7.28 https://support.google.com/mail/?p=UnsolicitedRateLimitError abc.1 - gsmtp"]),
    rule("gmail-message-unsolicited", Provider, ContentSpam, &[ReputationPoor], &["p=unsolicitedmessage*", "this message is likely unsolicited", "message is likely unsolicited"], &["550 5.7.1 https://support.google.com/mail/?p=UnsolicitedMessageError abc.1 - gsmtp"]),
    rule("gmail-not-authorized", Provider, ReputationPoor, &[PolicyRefused, HostBlocklisted], &["p=notauthorizederror*", "using to send mail is not authorized"], &["550 5.7.1 https://support.google.com/mail/?p=NotAuthorizedError abc.1 - gsmtp"]),
    rule("gmail-not-compliant", Provider, MessageMalformed, &[], &["p=rfcmessagenoncompliant*"], &["550 5.7.1 https://support.google.com/mail/?p=RfcMessageNonCompliant abc.1 - gsmtp"]),
    rule("gmail-blocked-content", Provider, ContentRefused, &[ContentVirus], &["p=blockedmessage*", "presents a potential security issue", "presents a potential"], &["552 5.7.0 https://support.google.com/mail/?p=BlockedMessage abc.1 - gsmtp"]),
    rule("gmail-bad-credentials", Provider, AuthFailed, &[], &["p=badcredentials*", "p=webloginrequired*", "p=invalidsecondfactor*", "p=appspecificpasswordrequired*"], &["535 5.7.8 https://support.google.com/mail/?p=BadCredentials abc.1 - gsmtp"]),
    rule("gmail-relay-denied", Provider, RelayDenied, &[], &["invalid credentials for relay", "#maildenied"], &["550 5.7.0 Mail relay denied. Invalid credentials for relay - gsmtp"]),
    rule("gmail-tls", Provider, EncryptionRequired, &[], &["tls required for rcpt domain", "tls required for"], &["421 4.7.0 TLS required for RCPT domain, closing connection. - gsmtp"]),
    rule("gmail-spf-rate", Provider, SpfFailed, &[ReputationPoor, RateLimited], &["spf record of the sending domain", "because the spf", "spf authentication didn't pass"], &["421 4.7.27 limited because the SPF check of example.com did not pass - gsmtp"]),
    rule("gmail-dkim-rate", Provider, DkimFailed, &[RateLimited], &["dkim authentication didn't pass"], &["421 4.7.30 limited because DKIM authentication didn't pass - gsmtp"]),

    // ── Yahoo ────────────────────────────────────────────────────────────────────
    rule("yahoo-list-behind", Provider, HostBlocklisted, &[ReputationPoor], &["[tss07]", "because the ip is in"], &["553 5.7.1 [TSS07] no connections from 192.0.2.8, because the ip is in a list"]),
    rule("yahoo-dkim", Provider, DkimFailed, &[PolicyRefused], &["(au01)"], &["554 5.7.5 (AU01) Message not accepted for policy reasons."]),
    rule("yahoo-host", Provider, ReputationPoor, &[HostBlocklisted, SenderRefused], &["vs1 ip", "vs1 mf"], &["451 VS1-IP too many unknown recipients"]),
    rule("yahoo-deferred", Provider, ReputationPoor, &[RateLimited, HostBlocklisted], &["[tss*", "tss0*", "tss1*", "[ipts*", "ipts04", "[ts01]", "[ts02]", "[ts03]"], &["421 4.7.0 [TSS11] All messages from 192.0.2.8 are deferred", "421 4.7.1 [TS03] deferred for good"]),
    rule("yahoo-block-list", Provider, HostBlocklisted, &[], &["[bl21]", "[bl22]", "[bl23]", "bl21", "bl23"], &["553 5.7.1 [BL21] no connections from this address"]),
    rule("yahoo-policy", Provider, PolicyRefused, &[ContentSpam], &["[ph01]", "email not accepted for policy reasons", "[cn01]", "[ph02]"], &["554 5.7.9 [PH01] no"]),
    rule("yahoo-policy-reasons", Provider, PolicyRefused, &[DmarcFailed, ContentSpam], &["message not accepted for policy reasons"], &["554 5.7.9 Message not accepted for policy reasons."]),
    rule("yahoo-554-30", Provider, MailboxDisabled, &[MailboxUnknown], &["(554.30)"], &["554 30 this mailbox is off (554.30)"]),

    // ── Apple, Proofpoint, Mimecast, Cisco ───────────────────────────────────────
    rule("icloud-local-policy", Provider, PolicyRefused, &[ContentSpam], &["[cs01]", "[hc01]"], &["550 5.7.1 [CS01] Message rejected due to local policy."]),
    rule("icloud-deferred", Provider, ReputationPoor, &[PolicyTemporary, RateLimited], &["[hcm1]", "[hcm*"], &["421 [HCM1] mail from 192.0.2.8 was put off"]),
    rule("proofpoint-list", Provider, HostBlocklisted, &[ReputationPoor], &["dnsbl lookup.cgi", "ipcheck.proofpoint.com", "proofpoint.com/dnsbl", "blocked using cloudmark", "blocked see https://ipcheck"], &["550 5.7.0 Local: see https://ipcheck.proofpoint.com/?ip=192.0.2.8"]),
    rule("mimecast-greylist", Provider, Greylisted, &[ServerFault], &["internal resources are temporarily unavailable"], &["451 Internal resources are temporarily unavailable - https://example.net/help#451 [x.uk1]"]).transient(),
    rule("mimecast-recipient", Provider, MailboxBusy, &[PolicyTemporary, ServerFault], &["recipient temporarily unavailable"], &["451 Recipient temporarily unavailable - https://example.net/help#451 [x.uk1]"]).transient(),
    rule("mimecast-sender-blocked", Provider, SenderRefused, &[PolicyRefused], &["administrative prohibition envelope blocked", "envelope blocked", "sender envelope refused"], &["550 Administrative prohibition envelope blocked - https://example.net/help#550 [x.uk1]"]),
    rule("cisco-reputation", Provider, ReputationPoor, &[HostBlocklisted], &["senderbase", "senderbase.org", "sbrs", "talosintelligence", "talosintelligence.com", "reputation score"], &["554 mx.example.net Your access was rejected: see https://www.senderbase.org/"]),

    // ── French providers ─────────────────────────────────────────────────────────
    rule("orange-connections", Provider, TooManyConnections, &[RateLimited], &["ofr005*", "ofr 005", "ofr004 104", "lpn007 103", "lpn105 104", "too many connections, slow down"], &["421 mwx ME trop de connexions OFR005_104 [104]"]),
    rule("orange-sender", Provider, SenderRefused, &[], &["ofr004 405", "ofr005 405", "lpn004 405", "ofr004 402"], &["501 5.1.0 emetteur OFR004_405 [405]"]),
    rule("orange-unknown", Provider, MailboxUnknown, &[], &["ofr 416", "ofr004 416", "ofr005 416", "lpn007 416", "lpn004 416"], &["550 5.1.1 adresse OFR004_416 [416]"]),
    rule("orange-disabled", Provider, MailboxDisabled, &[], &["ofr004 420", "ofr005 420", "lpn007 420", "ofr 420"], &["550 5.5.0 boite LPN007_420"]),
    rule("orange-full", Provider, MailboxFull, &[], &["ofr004 417", "ofr005 417", "lpn007 417", "ofr 417"], &["552 5.2.2 boite OFR004_417 [417]"]),
    rule("orange-block-list", Provider, HostBlocklisted, &[ReputationPoor], &["lpn007 102", "ofr004 102", "ofr005 102", "ofr004 103", "ofr006 102", "ont ete bloques par nos services"], &["550 5.5.0 Service refuse. LPN007_102"]),
    rule("orange-spam", Provider, ContentSpam, &[ReputationPoor], &["ofr 506", "ofr006 506", "ofr004 506", "ofr005 506", "lpn007 506", "ofr 515"], &["550 5.7.1 Service refuse OFR_506 [506]"]),
    rule("orange-spf", Provider, SpfFailed, &[], &["lpn004 401", "ofr004 401", "lpn007 401", "ofr005 401"], &["550 5.5.0 SPF LPN004_401"]),
    rule("orange-dmarc", Provider, DmarcFailed, &[], &["lpn007 517", "ofr004 517", "ofr006 517"], &["571 5.7.1 refus LPN007_517"]),

    // ── IB codes (Cloudmark gateways), spectrum, Comcast ─────────────────────────
    rule("ib-connections", Provider, TooManyConnections, &[], &["ib007", "ib006"], &["421 no. IB007"]),
    rule("ib-block-list", Provider, HostBlocklisted, &[ReputationPoor], &["ib101", "ib102", "ib104", "ib105", "ib106", "ib109", "ib001", "ib113"], &["554 Connection refused. IB106"]),
    rule("ib-reputation", Provider, ReputationPoor, &[HostBlocklisted], &["ib103", "ib110", "ib111", "ib115"], &["554 refused. IB103"]),
    rule("ib-reverse-dns", Provider, ReverseDnsMissing, &[], &["ib107", "ib108"], &["421 Temporarily rejected. IB108"]),
    rule("ib-rate", Provider, RateLimited, &[], &["ib501", "ib502", "ib503", "ib504", "ib504*", "ib510", "ib511"], &["550 this host: IB504"]),
    rule("ib-sender", Provider, SenderRefused, &[SenderDomainUnusable], &["ib401", "ib402", "ib505", "ib506", "ib507"], &["550 sender. IB506"]),
    rule("ib-spf", Provider, SpfFailed, &[], &["ib508", "ib509"], &["550 example.com: IB508"]),
    rule("ib-recipient", Provider, MailboxUnknown, &[], &["ib601", "ib602", "ib603", "ib604"], &["550 recipient. IB603"]),
    rule("ib-spam", Provider, ContentSpam, &[DomainBlocklisted], &["ib701", "ib702", "ib703", "ib704", "ib706"], &["552 message. IB702"]),
    rule("ib-virus", Provider, ContentVirus, &[], &["ib705"], &["552 message. IB705"]),
    rule("spectrum-rate", Provider, TooManyConnections, &[RateLimited, SenderRefused], &["aup#in 1310", "aup#in 13*"], &["550 5.1.0 sender rejected. AUP#In-1310"]),
    rule("spectrum-reputation", Provider, ReputationPoor, &[HostBlocklisted, PolicyRefused], &["aup#in 10*", "aup#1*", "aup#in 12*", "aup#cxsnd*", "aup#cxcnct*", "aup#in 1*", "aup#pol*", "aup#out*"], &["554 host.example.net ESMTP server not available AUP#1310"]),
    rule("spectrum-content", Provider, ContentSpam, &[ContentRefused], &["aup#cnt*", "aup#cdrbl", "aup#content"], &["550 5.7.1 refused AUP#CNTN-1"]),
    rule("comcast-list", Provider, HostBlocklisted, &[ReputationPoor], &["bl000000", "bl000001", "bl000010", "bl000002"], &["554 resimta comcast 192.0.2.8 see BL000001"]),
    rule("att-list", Provider, HostBlocklisted, &[], &["dnsbl:attrbl", "attrbl", "dnsbl:rblldap", "abuse rbl", "is blocked.for assistance", "blocked by ldap:ou=rblmx"], &["553 5.3.0 flph1 DNSBL:ATTRBL 521< 192.0.2.8 >_is_blocked"]),

    // ── GMX, web.de, T-Online, IONOS ─────────────────────────────────────────────
    rule("gmx-policy-violation", Provider, ReputationPoor, &[PolicyTemporary, PolicyRefused], &["service not available .. reject due to policy violations"], &["421-mx.example.net Nemesis ESMTP Service not available\n421 Reject due to policy violations"]),
    rule("gmx-policy-deferred", Exact, PolicyTemporary, &[ReputationPoor, HeloRefused], &["reject due to policy violations"], &["450 Reject due to policy violations."]).transient(),
    rule("gmx-policy-refused", Provider, ContentSpam, &[PolicyRefused, ReputationPoor], &["reject due to policy restrictions"], &["554-Transaction failed\n554 Reject due to policy restrictions."]).permanent(),
    rule("gmx-bad-dns", Provider, ReverseDnsMissing, &[], &["bad dns ptr", "c=rdns"], &["554 Bad DNS PTR resource record."]),
    rule("gmx-mail-bomb", Provider, RateLimited, &[], &["(mail bomb)"], &["450 4.3.2 Too many mails (mail bomb), please wait"]),

    // ── NetEase, QQ, Mail.ru ─────────────────────────────────────────────────────
    rule("netease-connections", Provider, TooManyConnections, &[RateLimited], &["hl:icc", "hl:ifc", "hl:mep", "mi:cel", "mi:conn"], &["421 HL:ICC 163 mx9 http://mail.example.com/help"]),
    rule("netease-rate", Provider, RateLimited, &[ReputationPoor], &["rp:trc", "rp:qrc", "rp:cec", "mi:dmc", "mi:stc", "mi:sfq", "rp:tfc", "mi:fcl", "rp:drc", "rp:crc", "rp:tmc"], &["451 RP:TRC 163 mx9 http://mail.example.com/help", "550 MI:DMC 163 mx9"]),
    rule("netease-block-list", Provider, HostBlocklisted, &[ReputationPoor], &["dt:rbl", "mi:ipb", "ip:rbl"], &["450 DT:RBL 163 mx9"]),
    rule("netease-spam", Provider, ContentSpam, &[ReputationPoor, PolicyRefused], &["dt:spm", "dt:sum", "mi:spb", "dt:lxs", "qt:spm"], &["554 DT:SPM 163 mx9"]),
    rule("netease-spf", Provider, SpfFailed, &[SenderRefused], &["mi:spf", "dt:spf", "mi:fad"], &["550 MI:SPF 163 mx9"]),
    rule("qq-spam-host", Provider, ReputationPoor, &[HostBlocklisted], &["suspected spam ip", "ip frequency limited", "suspected bounce attacks"], &["550 Suspected spam ip, see the page"]),
    rule("qq-sender-rate", Provider, RateLimited, &[], &["sender frequency limited", "domain frequency limited"], &["550 Domain frequency limited, see the page"]),
    rule("qq-content", Provider, ContentSpam, &[ContentRefused], &["mail content denied", "mail is rejected by recipients"], &["550 Mail content denied, see the page"]),
    rule("chinese-hosters-ip-check", Provider, SpfFailed, &[SenderRefused], &["remote ip check error"], &["556 remote ip check error"]),

    rule(
        "client-in-a-list",
        Provider,
        HostBlocklisted,
        &[ReputationPoor, ContentSpam],
        &["is in an rbl", "in an rbl", "listed in an rbl", "spamcop.net/bl", "listed in rbl"],
        &["550 junk: host8.example.com [192.0.2.8] is in an RBL"],
    ),

    // ── others ───────────────────────────────────────────────────────────────────
    rule("facebook-recipient", Provider, MailboxPrivate, &[MailboxUnknown], &["rcp p2", "rcp p3"], &["550 5.1.1 RCP-P2 https://example.net/codes"]),
    rule("facebook-unknown", Provider, MailboxUnknown, &[MailboxDisabled], &["rcp p1"], &["550 5.1.1 RCP-P1 https://example.net/codes"]),
    rule("facebook-host", Provider, ReputationPoor, &[HostBlocklisted, RateLimited], &["pol p1", "pol p2", "pol p3", "pol p4", "con p1", "con p2", "con p3", "con p4"], &["554 5.1.1 POL-P1 https://example.net/codes"]),
    rule("host-listed-by-the-recipient", Provider, HostBlocklisted, &[MailboxPrivate], &["ip address blacklisted", "ip blacklisted", "host blacklisted by"], &["550 5.7.1 IP address blacklisted by recipient"]),
    rule("spfbl", Provider, HostBlocklisted, &[SpfFailed], &["spfbl.net", "spfbl"], &["550 5.7.1 SPFBL: listed"]),
    rule("invalid-login-channel", Provider, AuthFailed, &[], &["channel bindings do not match"], &["535 5.7.7 channel bindings do not match"]),
    rule("spamhaus-domain", Provider, DomainBlocklisted, &[HostBlocklisted], &["mailfrom domain is listed", "domain is listed in spamhaus", "sender domain listed at dbl", "listed at spamhaus dbl", "spamhaus.org/dbl", "query/domain", "query/dbl"], &["550 5.7.1 see https://www.spamhaus.org/query/domain/example.com"]),
    rule("spamhaus-host", Provider, HostBlocklisted, &[ContentSpam], &["spamhaus.org/query/bl", "spamhaus.org/query/ip", "spamhaus.org/sbl", "spamhaus.org/xbl", "spamhaus.org/pbl"], &["553 https://www.spamhaus.org/query/ip/192.0.2.8"]),
    rule("cloudmark-reputation", Provider, ReputationPoor, &[HostBlocklisted], &["cloudmark sender intelligence", "cloudmark poor reputation", "csi.cloudmark.com", "cm csi v"], &["550 5.7.1 blocked: https://csi.cloudmark.com/reset-request/?ip=192.0.2.8"]),
    rule("cluebringer-autoblacklist", Provider, HostBlocklisted, &[ReputationPoor], &["greylist* .. blacklisted"], &["550 5.7.1 Greylisting is on, your host was blacklisted"]).permanent(),
    // ── AOL, T-Online, Comcast, others ───────────────────────────────────────────
    rule("aol-block-list", Provider, HostBlocklisted, &[ReputationPoor], &["(con:b*", "(rtr:bl*", "(rtr:bb*", "(rtr:cl*", "(rtr:sc*", "(ipb:*", "(rly:bl*"], &["554 5.7.1 : (CON:B1) https://postmaster.example.net/", "554 (RTR:BL) https://postmaster.example.net/"]),
    rule("aol-reputation", Provider, ReputationPoor, &[HostBlocklisted, PolicyRefused], &["(dyn:*", "(rly:b1*", "(rly:b2*", "(rly:b3*", "(rly:nw*", "(rly:cs*", "(rly:hb*", "(rly:ir*", "(rtr:du*", "(rtr:db*", "(rtr:gd*"], &["421 4.7.1 : (DYN:T1) https://postmaster.example.net/"]),
    rule("aol-rate", Provider, RateLimited, &[ReputationPoor], &["(rtr:ge*", "(con:t*", "(rtr:rl*", "(con:tl*"], &["421 4.7.1 : (RTR:GE) Technical difficulties"]),
    rule("aol-content", Provider, ContentSpam, &[ContentRefused], &["(rly:bd*", "(rly:ch*", "(cnt:*"], &["554 (RLY:BD) https://postmaster.example.net/"]),
    rule("aol-virus", Provider, ContentVirus, &[ContentSpam], &["(rtr:ch*", "rtr:ch"], &["554 (RTR:CH) https://postmaster.example.net/"]),
    rule("aol-date", Provider, MessageMalformed, &[], &["(mff:*"], &["421 4.7.1 : (MFF:FD) later than now"]),
    rule("aol-links", Provider, DomainBlocklisted, &[ContentSpam], &["(hvu:*", "(dnu:*"], &["554 5.7.1 : (HVU:B1) https://postmaster.example.net/"]),
    rule("aol-reverse-dns", Provider, ReverseDnsMissing, &[], &["(dns:nr*", "(rdn:*", "(rtr:rd*"], &["421 (DNS:NR) no name"]),
    rule("aol-sender", Provider, SenderRefused, &[DmarcFailed], &["(snd:*", "(rly:sn*"], &["554 5.7.1 : (SND:B1) https://postmaster.example.net/"]),
    rule("t-online-host", Provider, HostBlocklisted, &[ReputationPoor], &["a problem occurred. ask your postmaster .. (bl)", "a problem occurred. ask your postmaster", "a problem occurred. (ask your postmaster"], &["554 IP=192.0.2.8 - A problem occurred. Ask your postmaster for help. (BL)"]),
    rule("comcast-rate", Provider, RateLimited, &[ReputationPoor], &["rl000001", "rl000002", "rl000003"], &["452 4.1.1 slowly, please RL000001"]),
    rule("host-blocked-for-spam", Provider, HostBlocklisted, &[ReputationPoor], &["block for spam", "blocked for spam", "blocked due to spam from", "listed at", "blocked by ers", "client host .. blocked by", "namespace mining"], &["554 5.7.1 block for spam: 192.0.2.8", "550 5.7.1 192.0.2.8 listed at bl.example.org"]),
    rule("yahoo-greylist-like", Provider, ReputationPoor, &[Greylisted, RateLimited], &["[gl01]", "[gl02]"], &["421 4.7.0 [GL01] deferred"]),
    rule("orange-service-refused", Provider, HostBlocklisted, &[ReputationPoor, PolicyRefused], &["ofr001 102", "ofr002 102", "ofr 102", "ofr 109", "lpn006 107", "lpn001 102"], &["550 Service refuse. OFR001_102 [102]"]),
    rule("icloud-host", Provider, ReputationPoor, &[PolicyTemporary, RateLimited], &["[hm08]", "[hm0*"], &["421 4.7.1 [HM08] Message rejected due to local policy."]),
    rule("netease-new-host", Provider, ReputationPoor, &[RateLimited, PolicyTemporary], &["mi:nhd"], &["451 MI:NHD 163 mx9"]),
    rule("gmail-low-reputation", Provider, ReputationPoor, &[ContentSpam], &["very low reputation", "low reputation of the sending"], &["550 5.7.1 blocked due to the very low reputation of the sending IP address - gsmtp"]),
    rule("gmail-asks-for-pace", Provider, RateLimited, &[ServerBusy, TooManyConnections], &["try again later, closing connection", "ip not in whitelist for rcpt domain"], &["421 4.7.0 Try again later, closing connection. (MAIL) abc.1 - gsmtp"]),
    rule("outlook-policy-block", Provider, ReputationPoor, &[ContentSpam, HostBlocklisted], &["sc 002", "sc 003", "ou 001"], &["550 SC-002 (BAY0) unfortunately"]),
    rule("exchange-tenant-limits", Provider, ReputationPoor, &[RateLimited, PolicyRefused], &["tenant has exceeded threshold", "traffic not accepted from this ip", "as(7230)"], &["550 5.7.705 Access denied, tenant has exceeded threshold"]),
    rule("exchange-busy", Provider, RateLimited, &[ReputationPoor, ServerBusy], &["access denied, please try again later [", "as(4700)", "as(4710)"], &["451 4.7.550 Access denied, please try again later [192.0.2.8]. AS(4700)"]).transient(),
    rule("exchange-account-disabled", Provider, MailboxDisabled, &[], &["accountdisabledexception", "mailbox is disabled .. storedrv"], &["550 5.2.0 STOREDRV.Deliver.Exception:AccountDisabledException; failed"]),
    rule("exchange-tenant-list", Provider, PolicyRefused, &[MailboxPrivate, SenderRefused], &["tenant allow block list", "tenant allow/block list", "blocked by your organization"], &["550 5.7.703 blocked by your organization using Tenant Allow Block List"]),
    rule("icloud-policy", Clear, PolicyRefused, &[ContentSpam], &["message rejected due to local policy"], &["554 5.7.1 Message rejected due to local policy."]),
];

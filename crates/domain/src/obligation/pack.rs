//! The rules that are shipped, as data: what starts a clock, how long it runs, who is told what, and what follows.
//!
//! Sources disagree even on published texts, and texts change: each rule says where it is from, how it stands and what is
//! assumed. A rule whose words change is a new version of the pack; what runs keeps what it started with.
//!
//! Deliberately not here: duties without a length ("without undue delay"), which no clock can count; the text of a rule says so.

use serde::{Deserialize, Serialize};

use super::period::Period;

/// The version of all rules: the month in which they were looked through.
pub const PACK_VERSION: &str = "2026-11";

/// How a rule stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = RuleStatus))]
pub enum Status {
    /// It is law, or was last seen to be.
    InForce,
    /// Somebody proposed it.
    Proposed,
    /// It was decided, and does not apply.
    NotInForce,
    /// It is from memory, from a contract, or its date is open: to be checked against its source.
    Assumption,
}

impl Status {
    /// As people read it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::InForce => "in force",
            Self::Proposed => "proposed, not law",
            Self::NotInForce => "not in force",
            Self::Assumption => "assumption, to be checked against its source",
        }
    }

    /// Whether nobody owes it yet.
    #[must_use]
    pub const fn is_not_law(self) -> bool {
        matches!(self, Self::Proposed | Self::NotInForce)
    }
}

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// By which it is adopted; never another rule's.
    pub id: &'static str,
    pub regime: &'static str,
    pub source: &'static str,
    pub status: Status,
    /// What has to have happened.
    pub trigger: &'static str,
    /// From when its time counts: "… when" goes before it.
    pub starts_at: &'static str,
    pub recipient: &'static str,
    /// What is due from then on.
    pub first: ReportRule,
    /// What is due after, each from the submission before it.
    pub follow_ups: &'static [ReportRule],
    /// What is assumed, beside that all of it is to be checked; may be empty.
    pub assumes: &'static str,
}

/// Something that is submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportRule {
    pub name: &'static str,
    pub within: Period,
    /// What it says, as a list to tick.
    pub content: &'static [&'static str],
}

/// The rule of this id.
#[must_use]
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

/// All of them, by regime.
#[rustfmt::skip] // a table
pub const RULES: &[Rule] = &[
    Rule {
        id: "gdpr-33", regime: "GDPR art. 33", status: Status::InForce,
        source: "Regulation (EU) 2016/679, art. 33",
        trigger: "a breach of personal data that is not unlikely to be a risk for people", starts_at: "you are aware of it", recipient: "the supervisory authority",
        first: ReportRule { name: "notification", within: Period::hours(72).eu(), content: &["What happened, and to which data", "How many people and records, about", "Whom to ask: the data protection officer or another contact", "What is likely to follow for the people", "What was done, and what is going to be", "Where it is late: why"] },
        follow_ups: &[],
        assumes: "Counted by Regulation 1182/71. That its rule of two working days applies to a period in hours is read in more than one way: check it with your authority. What is not known yet may follow in phases. Telling the people themselves (art. 34), and a controller by its processor, is due without undue delay and has no clock here.",
    },
    Rule {
        id: "gdpr-33-omnibus", regime: "GDPR art. 33 as proposed", status: Status::Proposed,
        source: "COM(2025) 837, Digital Omnibus",
        trigger: "a breach of personal data that is likely to be a high risk for people", starts_at: "you are aware of it", recipient: "the supervisory authority, over the single entry point",
        first: ReportRule { name: "notification", within: Period::hours(96).eu(), content: &["What happened, and to which data", "How many people and records, about", "Whom to ask: the data protection officer or another contact", "What is likely to follow for the people", "What was done, and what is going to be"] },
        follow_ups: &[],
        assumes: "A proposal: not law in any source seen.",
    },
    Rule {
        id: "nis2-early-warning", regime: "NIS2 art. 23", status: Status::InForce,
        source: "Directive (EU) 2022/2555, art. 23(4)(a)",
        trigger: "a significant incident", starts_at: "you are aware of it", recipient: "the CSIRT or competent authority",
        first: ReportRule { name: "early warning", within: Period::hours(24).eu(), content: &["Whether it may be caused by unlawful or malicious acts", "Whether it may reach other states"] },
        follow_ups: &[],
        assumes: "The law that applies is the national one that transposes it.",
    },
    Rule {
        id: "nis2-notification", regime: "NIS2 art. 23", status: Status::InForce,
        source: "Directive (EU) 2022/2555, art. 23(4)(b) and (d)",
        trigger: "a significant incident", starts_at: "you are aware of it", recipient: "the CSIRT or competent authority",
        first: ReportRule { name: "incident notification", within: Period::hours(72).eu(), content: &["A first assessment: how grave, with what impact", "Indicators of compromise, where there are any", "What changed since the early warning"] },
        follow_ups: &[ReportRule { name: "final report", within: Period::months(1).eu(), content: &["What happened in detail: how grave, with what impact", "The likely cause", "What was done, and is still being done", "Impact on other states"] }],
        assumes: "The law that applies is the national one that transposes it. Counted by Regulation 1182/71. That its rule of two working days applies to a period in hours is read in more than one way: check it with your authority. Where it still goes on, a progress report stands in the place of the final one, which is then due one month after it was handled: check that.",
    },
    Rule {
        id: "nis2-notification-trust", regime: "NIS2 art. 23, trust services", status: Status::InForce,
        source: "Directive (EU) 2022/2555, art. 23(4)",
        trigger: "a significant incident of a trust service", starts_at: "you are aware of it", recipient: "the CSIRT or competent authority",
        first: ReportRule { name: "incident notification", within: Period::hours(24).eu(), content: &["A first assessment: how grave, with what impact", "Indicators of compromise, where there are any", "What changed since the early warning"] },
        follow_ups: &[ReportRule { name: "final report", within: Period::months(1).eu(), content: &["What happened in detail: how grave, with what impact", "The likely cause", "What was done, and is still being done", "Impact on other states"] }],
        assumes: "The law that applies is the national one that transposes it.",
    },
    Rule {
        id: "dora-initial", regime: "DORA art. 19", status: Status::InForce,
        source: "Regulation (EU) 2022/2554, art. 19; Delegated Regulation (EU) 2025/301, art. 5",
        trigger: "a major ICT-related incident", starts_at: "you classified it as major", recipient: "the competent authority",
        first: ReportRule { name: "initial notification", within: Period::hours(4).eu(), content: &["When it was detected and classified, and by what criteria", "What is affected: services, clients, states", "Whether it comes from another provider, or recurs", "Whether business continuity was activated"] },
        follow_ups: &[ReportRule { name: "intermediate report", within: Period::hours(72).eu(), content: &["What changed since the initial notification, or that nothing did", "Causes and impact as known", "Whether regular activities are back"] }, ReportRule { name: "final report", within: Period::months(1).eu(), content: &["The root cause", "Costs and losses", "What was done so that it does not come back"] }],
        assumes: "Adopt dora-initial-latest beside it: the initial notification is due 24 hours after awareness at the latest. A further intermediate report is due when regular activities are back. The relief of weekends and holidays is not counted, since it does not hold for several kinds of entity: check it.",
    },
    Rule {
        id: "dora-initial-latest", regime: "DORA art. 19, at the latest", status: Status::InForce,
        source: "Delegated Regulation (EU) 2025/301, art. 5",
        trigger: "an ICT-related incident that may be major", starts_at: "you are aware of it", recipient: "the competent authority",
        first: ReportRule { name: "initial notification", within: Period::hours(24).eu(), content: &["When it was detected and classified, and by what criteria", "What is affected: services, clients, states", "Whether it comes from another provider, or recurs", "Whether business continuity was activated"] },
        follow_ups: &[],
        assumes: "What is classified later is due four hours after its classification: say then that this does not apply. The same submission answers this and dora-initial: write it down at both.",
    },
    Rule {
        id: "sec-8k-105", regime: "SEC Form 8-K, item 1.05", status: Status::InForce,
        source: "Form 8-K, item 1.05",
        trigger: "a cybersecurity incident that is material", starts_at: "you determined that it is material", recipient: "the SEC, publicly",
        first: ReportRule { name: "Form 8-K", within: Period::business_days(4), content: &["Nature, scope and timing of the incident", "Its impact, or what is reasonably likely, also on finances and operations"] },
        follow_ups: &[],
        assumes: "Business days are those of the calendar that is set. An amendment is due four business days after new facts are determined: propose the rule once more for it.",
    },
    Rule {
        id: "hipaa-500", regime: "HIPAA 164.404 to 164.408", status: Status::InForce,
        source: "45 CFR 164.404, 164.406, 164.408",
        trigger: "a breach of unsecured health information of 500 people or more", starts_at: "it was discovered, or should have been", recipient: "the people, the regulator, and media of the state",
        first: ReportRule { name: "notification", within: Period::days(60), content: &["What happened, and when it was discovered", "Which kinds of data", "What people should do to protect themselves", "What you do, and whom to ask"] },
        follow_ups: &[],
        assumes: "Below 500 people the regulator is told within 60 days after the end of the year, which has no clock here.",
    },
    Rule {
        id: "hipaa-individuals", regime: "HIPAA 164.404", status: Status::InForce,
        source: "45 CFR 164.404",
        trigger: "a breach of unsecured health information", starts_at: "it was discovered, or should have been", recipient: "the people",
        first: ReportRule { name: "notification", within: Period::days(60), content: &["What happened, and when it was discovered", "Which kinds of data", "What people should do to protect themselves", "What you do, and whom to ask"] },
        follow_ups: &[],
        assumes: "",
    },
    Rule {
        id: "hipaa-business-associate", regime: "HIPAA 164.410", status: Status::InForce,
        source: "45 CFR 164.410",
        trigger: "a breach at a business associate", starts_at: "it was discovered, or should have been", recipient: "the covered entity",
        first: ReportRule { name: "notification", within: Period::days(60), content: &["What happened, and when it was discovered", "Which kinds of data", "What people should do to protect themselves", "What you do, and whom to ask"] },
        follow_ups: &[],
        assumes: "",
    },
    Rule {
        id: "circia-incident", regime: "CIRCIA", status: Status::NotInForce,
        source: "Proposed rule of 2024-04-04",
        trigger: "a covered cyber incident", starts_at: "you reasonably believe that it occurred", recipient: "CISA",
        first: ReportRule { name: "report", within: Period::hours(72), content: &["What happened, and to which systems", "What impact it has", "Techniques and vulnerabilities, as known", "Who answers questions"] },
        follow_ups: &[],
        assumes: "The final rule was not in the Federal Register on 2026-10-05. Supplements follow promptly; data is preserved for two years.",
    },
    Rule {
        id: "circia-ransom", regime: "CIRCIA, ransom payment", status: Status::NotInForce,
        source: "Proposed rule of 2024-04-04",
        trigger: "a ransom payment", starts_at: "it was paid", recipient: "CISA",
        first: ReportRule { name: "report", within: Period::hours(24), content: &["When, how much and to whom it was paid", "Why"] },
        follow_ups: &[],
        assumes: "The final rule was not in the Federal Register on 2026-10-05.",
    },
    Rule {
        id: "us-banking", regime: "US banking, 36 hours", status: Status::InForce,
        source: "12 CFR 53, 225, 304",
        trigger: "a notification incident of a banking organisation", starts_at: "you determined that it is one", recipient: "your federal regulator",
        first: ReportRule { name: "notification", within: Period::hours(36), content: &["What happened, as far as known"] },
        follow_ups: &[],
        assumes: "A service provider tells its bank as soon as possible where it lasts four hours or more, which has no clock here. The citation is from memory.",
    },
    Rule {
        id: "nydfs-500-17", regime: "NYDFS 500.17", status: Status::InForce,
        source: "23 NYCRR 500.17(a)",
        trigger: "a cybersecurity incident", starts_at: "you determined that it occurred", recipient: "the superintendent",
        first: ReportRule { name: "notice", within: Period::hours(72), content: &["What happened", "What is affected"] },
        follow_ups: &[],
        assumes: "",
    },
    Rule {
        id: "nydfs-ransom", regime: "NYDFS 500.17, ransom", status: Status::InForce,
        source: "23 NYCRR 500.17(c)",
        trigger: "an extortion payment", starts_at: "it was paid", recipient: "the superintendent",
        first: ReportRule { name: "notice of payment", within: Period::hours(24), content: &["When and how much was paid"] },
        follow_ups: &[],
        assumes: "",
    },
    Rule {
        id: "nydfs-ransom-explanation", regime: "NYDFS 500.17, ransom", status: Status::InForce,
        source: "23 NYCRR 500.17(c)",
        trigger: "an extortion payment", starts_at: "it was paid", recipient: "the superintendent",
        first: ReportRule { name: "explanation", within: Period::days(30), content: &["Why it was necessary", "What else was considered", "How it was checked that it was lawful"] },
        follow_ups: &[],
        assumes: "",
    },
    Rule {
        id: "ftc-safeguards", regime: "FTC Safeguards Rule", status: Status::InForce,
        source: "16 CFR 314.4(j)",
        trigger: "a notification event with data of 500 consumers or more", starts_at: "it was discovered", recipient: "the FTC",
        first: ReportRule { name: "notification", within: Period::days(30), content: &["What happened, and when", "Which kinds of data", "How many consumers"] },
        follow_ups: &[],
        assumes: "",
    },
    Rule {
        id: "pci-mastercard", regime: "PCI DSS 12.10, Mastercard", status: Status::Assumption,
        source: "Contract with the acquirer",
        trigger: "account data that may be compromised", starts_at: "you know or suspect it", recipient: "the acquirer and Mastercard",
        first: ReportRule { name: "notice", within: Period::hours(24), content: &["Which accounts may be affected", "What was done to contain it"] },
        follow_ups: &[],
        assumes: "Contractual and from memory: check your contract.",
    },
    Rule {
        id: "pci-visa", regime: "PCI DSS 12.10, Visa", status: Status::Assumption,
        source: "Contract with the acquirer",
        trigger: "account data that may be compromised", starts_at: "you know or suspect it", recipient: "the acquirer and Visa",
        first: ReportRule { name: "report", within: Period::days(3), content: &["Which accounts may be affected", "What was done to contain it"] },
        follow_ups: &[],
        assumes: "Contractual and from memory: check your contract.",
    },
    Rule {
        id: "uk-nis", regime: "UK NIS Regulations", status: Status::InForce,
        source: "SI 2018/506, reg. 11",
        trigger: "an incident with a significant impact on an essential service", starts_at: "you are aware of it", recipient: "the competent authority",
        first: ReportRule { name: "notification", within: Period::hours(72), content: &["A first assessment: how grave, with what impact", "Indicators of compromise, where there are any", "What changed since the early warning"] },
        follow_ups: &[],
        assumes: "",
    },
    Rule {
        id: "uk-gdpr-33", regime: "UK GDPR art. 33", status: Status::InForce,
        source: "UK GDPR, art. 33",
        trigger: "a breach of personal data that is not unlikely to be a risk for people", starts_at: "you are aware of it", recipient: "the ICO",
        first: ReportRule { name: "notification", within: Period::hours(72), content: &["What happened, and to which data", "How many people and records, about", "Whom to ask: the data protection officer or another contact", "What is likely to follow for the people", "What was done, and what is going to be", "Where it is late: why"] },
        follow_ups: &[],
        assumes: "",
    },
    Rule {
        id: "uk-csr-initial", regime: "UK Cyber Security and Resilience Bill", status: Status::Proposed,
        source: "Bill in the Lords on 2026-09-08",
        trigger: "a significant incident", starts_at: "you are aware of it", recipient: "the regulator and the NCSC",
        first: ReportRule { name: "initial notification", within: Period::hours(24), content: &["Whether it may be caused by unlawful or malicious acts", "Whether it may reach other states"] },
        follow_ups: &[],
        assumes: "A bill, not an Act, on 2026-09-08.",
    },
    Rule {
        id: "uk-csr-full", regime: "UK Cyber Security and Resilience Bill", status: Status::Proposed,
        source: "Bill in the Lords on 2026-09-08",
        trigger: "a significant incident", starts_at: "you are aware of it", recipient: "the regulator and the NCSC",
        first: ReportRule { name: "full notification", within: Period::hours(72), content: &["A first assessment: how grave, with what impact", "Indicators of compromise, where there are any", "What changed since the early warning"] },
        follow_ups: &[],
        assumes: "A bill, not an Act, on 2026-09-08.",
    },
    Rule {
        id: "cert-in", regime: "CERT-In", status: Status::InForce,
        source: "Directions of 2022-04-28, section 70B",
        trigger: "one of twenty kinds of incident", starts_at: "you noticed it or were told", recipient: "CERT-In",
        first: ReportRule { name: "report", within: Period::hours(6), content: &["What happened, and when", "Which systems", "Logs of 180 days are kept in India"] },
        follow_ups: &[],
        assumes: "The citation is from memory.",
    },
    Rule {
        id: "in-dpdp", regime: "India DPDP", status: Status::Assumption,
        source: "DPDP Rules, breach",
        trigger: "a breach of personal data", starts_at: "you are aware of it", recipient: "the Data Protection Board",
        first: ReportRule { name: "details", within: Period::hours(72), content: &["What happened, and to which data", "How many people and records, about", "Whom to ask: the data protection officer or another contact", "What is likely to follow for the people", "What was done, and what is going to be"] },
        follow_ups: &[],
        assumes: "Phased in until 2027: check whether it applies to you yet.",
    },
    Rule {
        id: "sg-pdpa", regime: "Singapore PDPA", status: Status::InForce,
        source: "PDPA, part 6A",
        trigger: "a notifiable data breach: significant harm, or 500 people or more", starts_at: "you assessed that it is notifiable", recipient: "the PDPC",
        first: ReportRule { name: "notification", within: Period::days(3), content: &["What happened, and to which data", "How many people and records, about", "Whom to ask: the data protection officer or another contact", "What is likely to follow for the people", "What was done, and what is going to be"] },
        follow_ups: &[],
        assumes: "The assessment itself is done within about 30 days. People are told at the same time or after.",
    },
    Rule {
        id: "sg-cii", regime: "Singapore Cybersecurity Act", status: Status::InForce,
        source: "Cybersecurity Act, critical information infrastructure",
        trigger: "an incident of critical information infrastructure", starts_at: "you are aware of it", recipient: "the Commissioner of Cybersecurity",
        first: ReportRule { name: "notification", within: Period::hours(2), content: &["What happened, and which infrastructure"] },
        follow_ups: &[],
        assumes: "The detail is from memory.",
    },
    Rule {
        id: "au-soci-critical", regime: "Australia SOCI, significant impact", status: Status::InForce,
        source: "SOCI Act 2018, s. 30BC",
        trigger: "an incident with a critical impact", starts_at: "you are aware of it", recipient: "the ASD",
        first: ReportRule { name: "report", within: Period::hours(12), content: &["What happened, and which asset"] },
        follow_ups: &[ReportRule { name: "written record", within: Period::hours(84), content: &["The same in writing, on the approved form"] }],
        assumes: "The written record counts from an oral report. The citation is from memory.",
    },
    Rule {
        id: "au-soci-relevant", regime: "Australia SOCI, relevant impact", status: Status::InForce,
        source: "SOCI Act 2018, s. 30BD",
        trigger: "an incident with a relevant impact", starts_at: "you are aware of it", recipient: "the ASD",
        first: ReportRule { name: "report", within: Period::hours(72), content: &["What happened, and which asset"] },
        follow_ups: &[ReportRule { name: "written record", within: Period::hours(48), content: &["The same in writing, on the approved form"] }],
        assumes: "The written record counts from an oral report. The citation is from memory.",
    },
    Rule {
        id: "au-privacy-assessment", regime: "Australia Privacy Act", status: Status::InForce,
        source: "Privacy Act 1988, s. 26WH",
        trigger: "a breach that may be notifiable", starts_at: "you suspect it", recipient: "your own file",
        first: ReportRule { name: "assessment", within: Period::days(30), content: &["Whether serious harm is likely", "Why"] },
        follow_ups: &[],
        assumes: "The citation is from memory.",
    },
    Rule {
        id: "au-ransom", regime: "Australia, ransom payment", status: Status::InForce,
        source: "Cyber Security Act 2024",
        trigger: "a ransom payment", starts_at: "it was paid", recipient: "the ASD",
        first: ReportRule { name: "report", within: Period::hours(72), content: &["When, how much and to whom it was paid"] },
        follow_ups: &[],
        assumes: "",
    },
    Rule {
        id: "hk-serious", regime: "Hong Kong PCICSO, serious", status: Status::Assumption,
        source: "Protection of Critical Infrastructures Ordinance",
        trigger: "a serious computer-system security incident", starts_at: "you are aware of it", recipient: "the Commissioner",
        first: ReportRule { name: "notification", within: Period::hours(12), content: &["What happened, and which system", "What impact it has"] },
        follow_ups: &[ReportRule { name: "written report", within: Period::days(14), content: &["Cause, impact and measures, in writing"] }],
        assumes: "In force since 2026-01-01. From when the 14 days of the written report count is from memory: check it.",
    },
    Rule {
        id: "hk-other", regime: "Hong Kong PCICSO, other", status: Status::Assumption,
        source: "Protection of Critical Infrastructures Ordinance",
        trigger: "another computer-system security incident", starts_at: "you are aware of it", recipient: "the Commissioner",
        first: ReportRule { name: "notification", within: Period::hours(48), content: &["What happened, and which system", "What impact it has"] },
        follow_ups: &[ReportRule { name: "written report", within: Period::days(14), content: &["Cause, impact and measures, in writing"] }],
        assumes: "In force since 2026-01-01. From when the 14 days of the written report count is from memory: check it.",
    },
    Rule {
        id: "cn-critical", regime: "China, CAC measures", status: Status::InForce,
        source: "CAC measures on reporting of incidents",
        trigger: "a reportable incident of critical infrastructure", starts_at: "you discovered it", recipient: "the protection department or the CAC",
        first: ReportRule { name: "report", within: Period::hours(1), content: &["Which unit, and which system", "When, what kind, what level", "What was done"] },
        follow_ups: &[ReportRule { name: "summary", within: Period::days(30), content: &["Cause, measures, harm, responsibility, lessons"] }],
        assumes: "In force since 2025-11-01. The summary counts from when it was handled, and here from the report: check it.",
    },
    Rule {
        id: "cn-state", regime: "China, CAC measures", status: Status::InForce,
        source: "CAC measures on reporting of incidents",
        trigger: "a reportable incident of a state body", starts_at: "you discovered it", recipient: "the protection department or the CAC",
        first: ReportRule { name: "report", within: Period::hours(2), content: &["Which unit, and which system", "When, what kind, what level", "What was done"] },
        follow_ups: &[ReportRule { name: "summary", within: Period::days(30), content: &["Cause, measures, harm, responsibility, lessons"] }],
        assumes: "In force since 2025-11-01. The summary counts from when it was handled, and here from the report: check it.",
    },
    Rule {
        id: "cn-other", regime: "China, CAC measures", status: Status::InForce,
        source: "CAC measures on reporting of incidents",
        trigger: "a reportable incident of another operator", starts_at: "you discovered it", recipient: "the protection department or the CAC",
        first: ReportRule { name: "report", within: Period::hours(4), content: &["Which unit, and which system", "When, what kind, what level", "What was done"] },
        follow_ups: &[ReportRule { name: "summary", within: Period::days(30), content: &["Cause, measures, harm, responsibility, lessons"] }],
        assumes: "In force since 2025-11-01. The summary counts from when it was handled, and here from the report: check it.",
    },
    Rule {
        id: "jp-appi-preliminary", regime: "Japan APPI", status: Status::InForce,
        source: "APPI art. 26",
        trigger: "a reportable leak of personal data", starts_at: "you are aware of it", recipient: "the PPC",
        first: ReportRule { name: "preliminary report", within: Period::days(3), content: &["What happened, and to which data", "How many people", "Cause", "What was done, and is going to be"] },
        follow_ups: &[],
        assumes: "Three to five days: three are counted.",
    },
    Rule {
        id: "jp-appi-final", regime: "Japan APPI", status: Status::InForce,
        source: "APPI art. 26",
        trigger: "a reportable leak of personal data", starts_at: "you are aware of it", recipient: "the PPC",
        first: ReportRule { name: "final report", within: Period::days(30), content: &["What happened, and to which data", "How many people", "Cause", "What was done, and is going to be"] },
        follow_ups: &[],
        assumes: "",
    },
    Rule {
        id: "jp-appi-final-improper", regime: "Japan APPI, improper purpose", status: Status::InForce,
        source: "APPI art. 26",
        trigger: "a leak that may have an improper purpose", starts_at: "you are aware of it", recipient: "the PPC",
        first: ReportRule { name: "final report", within: Period::days(60), content: &["What happened, and to which data", "How many people", "Cause", "What was done, and is going to be"] },
        follow_ups: &[],
        assumes: "",
    },
    Rule {
        id: "cra-early-warning", regime: "EU CRA art. 14", status: Status::InForce,
        source: "Regulation (EU) 2024/2847, art. 14",
        trigger: "an exploited vulnerability, or a severe incident, of a product", starts_at: "you are aware of it", recipient: "the CSIRT and ENISA, over the platform",
        first: ReportRule { name: "early warning", within: Period::hours(24).eu(), content: &["Which product, and where it is sold", "What is known of the exploit or incident", "What users can do"] },
        follow_ups: &[],
        assumes: "For makers and commercial suppliers, since 2026-09-11; lighter for open-source stewards.",
    },
    Rule {
        id: "cra-notification", regime: "EU CRA art. 14", status: Status::InForce,
        source: "Regulation (EU) 2024/2847, art. 14",
        trigger: "a severe incident of a product", starts_at: "you are aware of it", recipient: "the CSIRT and ENISA, over the platform",
        first: ReportRule { name: "notification", within: Period::hours(72).eu(), content: &["Which product, and where it is sold", "What is known of the exploit or incident", "What users can do"] },
        follow_ups: &[ReportRule { name: "final report", within: Period::months(1).eu(), content: &["What happened in detail: how grave, with what impact", "The likely cause", "What was done, and is still being done", "Impact on other states"] }],
        assumes: "Counted by Regulation 1182/71. That its rule of two working days applies to a period in hours is read in more than one way: check it with your authority.",
    },
    Rule {
        id: "cra-vulnerability", regime: "EU CRA art. 14, vulnerability", status: Status::InForce,
        source: "Regulation (EU) 2024/2847, art. 14",
        trigger: "an exploited vulnerability of a product", starts_at: "you are aware of it", recipient: "the CSIRT and ENISA, over the platform",
        first: ReportRule { name: "notification", within: Period::hours(72).eu(), content: &["Which product, and where it is sold", "What is known of the exploit or incident", "What users can do"] },
        follow_ups: &[],
        assumes: "Counted by Regulation 1182/71. That its rule of two working days applies to a period in hours is read in more than one way: check it with your authority. Adopt cra-vulnerability-final beside it.",
    },
    Rule {
        id: "cra-vulnerability-final", regime: "EU CRA art. 14, vulnerability", status: Status::InForce,
        source: "Regulation (EU) 2024/2847, art. 14",
        trigger: "an exploited vulnerability for which there is a fix", starts_at: "a fix exists", recipient: "the CSIRT and ENISA, over the platform",
        first: ReportRule { name: "final report", within: Period::days(14).eu(), content: &["The vulnerability, how grave, with what impact", "Who exploited it, where known", "The fix"] },
        follow_ups: &[],
        assumes: "",
    },
    Rule {
        id: "ai-act-73", regime: "EU AI Act art. 73", status: Status::Assumption,
        source: "Regulation (EU) 2024/1689, art. 73",
        trigger: "a serious incident of a high-risk system", starts_at: "you are aware of it", recipient: "the market surveillance authority",
        first: ReportRule { name: "report", within: Period::days(15).eu(), content: &["Which system, and what happened", "The link between the two, as far as known", "What was done"] },
        follow_ups: &[],
        assumes: "From when it applies is being changed: check it.",
    },
    Rule {
        id: "ai-act-73-widespread", regime: "EU AI Act art. 73", status: Status::Assumption,
        source: "Regulation (EU) 2024/1689, art. 73",
        trigger: "a widespread infringement, or one of critical infrastructure", starts_at: "you are aware of it", recipient: "the market surveillance authority",
        first: ReportRule { name: "report", within: Period::days(2).eu(), content: &["Which system, and what happened", "The link between the two, as far as known", "What was done"] },
        follow_ups: &[],
        assumes: "From when it applies is being changed: check it.",
    },
    Rule {
        id: "ai-act-73-death", regime: "EU AI Act art. 73", status: Status::Assumption,
        source: "Regulation (EU) 2024/1689, art. 73",
        trigger: "the death of a person", starts_at: "you are aware of it", recipient: "the market surveillance authority",
        first: ReportRule { name: "report", within: Period::days(10).eu(), content: &["Which system, and what happened", "The link between the two, as far as known", "What was done"] },
        follow_ups: &[],
        assumes: "From when it applies is being changed: check it.",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_whole_and_no_two_have_one_id() {
        let mut ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), RULES.len());
        for rule in RULES {
            for text in [rule.regime, rule.source, rule.trigger, rule.starts_at, rule.recipient] {
                assert!(!text.trim().is_empty(), "{}", rule.id);
            }
            for report in std::iter::once(&rule.first).chain(rule.follow_ups) {
                assert!(rule.follow_ups.len() <= 2, "{}: an incident awaits three at most", rule.id);
                assert!(report.within.length > 0 && !report.content.is_empty() && !report.name.is_empty(), "{}", rule.id);
            }
            let says_why = rule.status == Status::InForce || !rule.assumes.is_empty();
            assert!(says_why, "{} does not say what has to be checked", rule.id);
        }
    }
}

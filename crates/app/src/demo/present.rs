//! What is in hand when a newcomer looks: an incident of three quarters of an hour with a plan that runs, an agency and a vendor that
//! were asked, a clock near its end and an update that is due; and a smaller one that wants a person whom the first one has.

use allclear_domain::incident::partners::RequestState;
use allclear_domain::incident::{Severity, attendance, hypotheses, parties, plans, record, roles, sharing, tasks};
use allclear_domain::time::Length;
use allclear_domain::tlp::Tlp;

use super::history::{History, update};

/// Minutes ago that it began: of the hour in which it is to be mitigated eighty hundredths are over, and a little.
const BEGAN: i64 = 49;
/// The same of the smaller one.
const SMALLER: i64 = 14;

/// Lets it happen until now.
pub(super) async fn tell(history: &History<'_>) -> anyhow::Result<()> {
    let ago = |minutes: i64| history.go_to(0, -minutes);
    ago(BEGAN).await;
    let id = history.declare("ben", Severity::Sev1, "payments-api", "Card payments fail in Europe, one in six").await?;
    ago(BEGAN - 2).await;
    history.act("ana", id, attendance::Command::Acknowledge { by: Some("ana".into()), via: "link".into() }).await?;
    history.act("ana", id, roles::Command::Take { role: "commander".into(), person: "ana".into(), why: None }).await?;
    ago(BEGAN - 4).await;
    history.act("ana", id, plans::Command::Start { plan: "outage".into(), because: None }).await?;
    history.act("dana", id, roles::Command::Take { role: "operations".into(), person: "dana".into(), why: None }).await?;
    history.act("ben", id, roles::Command::Take { role: "communications".into(), person: "ben".into(), why: None }).await?;
    history.act("ana", id, sharing::Command::Mark { marking: Tlp::Amber, why: "the CERT and the acquirer help".into() }).await?;
    ago(BEGAN - 9).await;
    history.act("ana", id, tasks::Command::Finish { task: 1, note: Some("cards of two networks, since 09:58".into()) }).await?;
    for text in ["Release 4.18.0 of payments-api breaks the retry", "Somebody tries stolen cards"] {
        history.act("dana", id, hypotheses::Command::Raise { text: text.into() }).await?;
    }
    history.act("ana", id, ask("cert", "Do other shops see stolen cards tried by the thousand since this morning?", 45)).await?;
    ago(BEGAN - 17).await;
    history.act("dana", id, tasks::Command::Finish { task: 2, note: Some("one release, 4.18.0, at 09:51".into()) }).await?;
    ago(28).await;
    history
        .act(
            "ben",
            id,
            update("About one in six card payments in Europe fails. Nobody is charged twice. We look at a change of this morning."),
        )
        .await?;
    history.act("ben", id, tasks::Command::Finish { task: 3, note: None }).await?;
    ago(20).await;
    history.act("ana", id, ask("acquirer", "Do you see refusals on your side since 09:58? Which codes?", 25)).await?;
    ago(12).await;
    let heard = parties::Command::Hear {
        request: 2,
        state: RequestState::Acknowledged,
        text: Some("on it, with our network team".into()),
        reference: Some("ACQ-5521".into()),
        happened_at: None,
    };
    history.act("ana", id, heard).await?;

    ago(SMALLER).await;
    let other = history.declare("eli", Severity::Sev3, "identity", "Sign-in slow for staff of the north site").await?;
    ago(SMALLER - 3).await;
    history.act("cho", other, attendance::Command::Acknowledge { by: Some("cho".into()), via: "link".into() }).await?;
    ago(6).await;
    let note = "The directory of the north site answers after 8 s; the others in 200 ms.";
    history.act("cho", other, record::Command::Note { text: note.into(), happened_at: None, marking: None }).await?;
    ago(2).await;
    let why = Some("she knows the directory".to_owned());
    history.act("cho", other, roles::Command::Offer { role: "operations".into(), to: "dana".into(), by: Some("cho".into()), why }).await?;
    history.go_to(0, 0).await;
    Ok(())
}

fn ask(organisation: &str, text: &str, minutes: u64) -> parties::Command {
    let within = Some(Length::from_mins(minutes));
    parties::Command::Ask { organisation: organisation.into(), text: text.into(), within, due_at: None, marking: Some(Tlp::Amber) }
}

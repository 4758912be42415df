//! PostgreSQL's writer: a task that takes waiting commits as a group, makes them durable in one
//! transaction, and finds the guilty one by savepoints when the group fails.
//!
//! Invariant: nobody is answered before `COMMIT` was; what breaks after it was sent is unknown, what breaks
//! before left nothing behind and is tried once more on a new session.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::sync::{mpsc, oneshot};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Statement};

use crate::fault::{CommitError, Fault, FaultKind};
use crate::faulty::{CommitPoint, Points};
use crate::pg::batch;
use crate::pg::batch::{Op, Param, Planner};
use crate::pg::{Address, CHANNEL, Link, NOTIFY, PAUSE, POOLED_BEGIN, WAKING_TABLE, WRITER_SESSION, counted, fault, is_stale, unnamed};
use crate::sql_text::{self, Dialect};
use crate::sqlite::unexpected;
use crate::val::{Table, Write};

/// Commits that share one transaction at most.
const GROUP_MAX: usize = 512;

/// A commit on its way to the writer.
pub(crate) struct Job {
    pub(crate) writes: Vec<Write>,
    pub(crate) answer: oneshot::Sender<Result<(), CommitError>>,
}

/// Writes what comes until nobody can send any more.
pub(crate) async fn write_until_closed(mut writer: Writer, mut jobs: mpsc::UnboundedReceiver<Job>) {
    let mut taken: Vec<Job> = Vec::new();
    let mut pause = PAUSE.0;
    while jobs.recv_many(&mut taken, GROUP_MAX).await > 0 {
        let group: Vec<&[Write]> = taken.iter().map(|job| job.writes.as_slice()).collect();
        let answers = writer.commit_group(&group).await;
        for (job, answer) in taken.drain(..).zip(answers) {
            let _ = job.answer.send(answer);
        }
        if writer.link.is_some() {
            pause = PAUSE.0;
        } else {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE.1);
        }
    }
}

/// How a group ended when it did not commit.
enum Broken {
    /// A write failed; another commit of the group may pass.
    Write(CommitError),
    /// `COMMIT` was refused because of what was written.
    Rule(Fault),
    /// The world failed.
    World(Fault),
}

/// The writing session.
pub(crate) struct Writer {
    address: Address,
    link: Option<Link>,
    planner: Planner,
    points: Arc<Points>,
    /// Whether commits to the log notify other nodes.
    wakes: bool,
}

impl Writer {
    pub(crate) fn new(address: Address, planner: Planner, points: Arc<Points>, wakes: bool) -> Self {
        Self { address, link: None, planner, points, wakes }
    }

    async fn link(&mut self) -> Result<&mut Link, Fault> {
        if self.link.as_ref().is_none_or(|link| link.client.is_closed()) {
            self.link = None;
            self.link = Some(self.address.connect(WRITER_SESSION, None).await?);
        }
        self.link.as_mut().ok_or_else(Fault::closed)
    }

    async fn commit_group(&mut self, group: &[&[Write]]) -> Vec<Result<(), CommitError>> {
        let mut outcome = self.whole(group).await;
        // Nothing of the group is durable when the connection was lost before `COMMIT`, or when a
        // statement was prepared before another node changed the schema: once more, on a new session.
        let again = match &outcome {
            Err(Broken::World(why)) => why.kind == FaultKind::Unreachable && !why.outcome_unknown,
            Err(Broken::Write(CommitError::Fault(why))) => is_stale(why),
            _ => false,
        };
        if again {
            self.link = None;
            outcome = self.whole(group).await;
        }
        match outcome {
            Ok(()) => group.iter().map(|_| Ok(())).collect(),
            Err(Broken::World(why)) => self.all_failed(group, why),
            Err(Broken::Write(error)) if group.len() == 1 => vec![Err(error)],
            Err(Broken::Rule(why)) if group.len() == 1 => vec![Err(why.into())],
            Err(Broken::Write(_)) => self.each_in_a_savepoint(group).await,
            Err(Broken::Rule(_)) => self.each_alone(group).await,
        }
    }

    fn all_failed(&mut self, group: &[&[Write]], why: Fault) -> Vec<Result<(), CommitError>> {
        if why.kind == FaultKind::Unreachable || why.outcome_unknown {
            self.link = None;
        }
        group.iter().map(|_| Err(why.clone().into())).collect()
    }

    async fn each_alone(&mut self, group: &[&[Write]]) -> Vec<Result<(), CommitError>> {
        let mut answers = Vec::with_capacity(group.len());
        for writes in group {
            let answer = match self.whole(&[*writes]).await {
                Ok(()) => Ok(()),
                Err(Broken::Write(error)) => Err(error),
                Err(Broken::Rule(why)) => Err(why.into()),
                Err(Broken::World(why)) => self.all_failed(&[*writes], why).pop().unwrap_or(Ok(())),
            };
            answers.push(answer);
        }
        answers
    }

    async fn whole(&mut self, group: &[&[Write]]) -> Result<(), Broken> {
        let wakes = self.wakes && group.iter().copied().flatten().any(wakes_others);
        let ops = self.planner.plan(group);
        let link = self.link().await.map_err(Broken::World)?;
        let beginning = begin(link);
        if let Err(error) = send(link, Some(beginning), &ops, wakes).await {
            roll_back(link).await;
            return Err(match error {
                CommitError::Fault(why) if !why.is_the_callers() && why.kind != FaultKind::Busy => Broken::World(why),
                other => Broken::Write(other),
            });
        }
        self.finish().await
    }

    async fn each_in_a_savepoint(&mut self, group: &[&[Write]]) -> Vec<Result<(), CommitError>> {
        let mut answers: Vec<Result<(), CommitError>> = Vec::with_capacity(group.len());
        let outcome = self.in_savepoints(group, &mut answers).await;
        match outcome {
            Ok(()) => answers,
            Err(Broken::Rule(_) | Broken::Write(_)) => self.each_alone(group).await,
            Err(Broken::World(why)) => {
                if let Some(link) = self.link.as_ref() {
                    roll_back(link).await;
                }
                self.all_failed(group, why)
            }
        }
    }

    async fn in_savepoints(&mut self, group: &[&[Write]], answers: &mut Vec<Result<(), CommitError>>) -> Result<(), Broken> {
        let link = self.link().await.map_err(Broken::World)?;
        link.batch(begin(link)).await.map_err(Broken::World)?;
        for writes in group {
            let wakes = self.wakes && writes.iter().any(wakes_others);
            let ops = self.planner.plan(&[*writes]);
            let link = self.link.as_mut().ok_or_else(|| Broken::World(Fault::closed()))?;
            link.batch("savepoint one").await.map_err(Broken::World)?;
            let answer = send(link, None, &ops, wakes).await;
            match &answer {
                Ok(()) => link.batch("release one").await.map_err(Broken::World)?,
                Err(CommitError::Fault(why)) if !why.is_the_callers() && why.kind != FaultKind::Busy => {
                    return Err(Broken::World(why.clone()));
                }
                Err(_) => link.batch("rollback to one; release one").await.map_err(Broken::World)?,
            }
            answers.push(answer);
        }
        self.finish().await
    }

    /// `COMMIT`. From the moment it is sent, a broken connection makes the outcome unknown.
    async fn finish(&mut self) -> Result<(), Broken> {
        self.points.reach(CommitPoint::BeforeCommit);
        let link = self.link.as_mut().ok_or_else(|| Broken::World(Fault::closed()))?;
        if let Err(why) = link.batch("commit").await {
            roll_back(link).await;
            return Err(match why.kind {
                FaultKind::Constraint => Broken::Rule(why),
                FaultKind::Busy | FaultKind::Full | FaultKind::ReadOnly => Broken::World(why),
                _ => Broken::World(why.unknown()),
            });
        }
        self.points.reach(CommitPoint::AfterCommit);
        Ok(())
    }
}

/// How a transaction begins: with its limits, where the session has none of ours.
const fn begin(link: &Link) -> &'static str {
    if link.pooled { POOLED_BEGIN } else { "begin" }
}

impl Link {
    async fn batch(&self, sql: &'static str) -> Result<(), Fault> {
        self.client.batch_execute(sql).await.map_err(|error| fault(&error, sql))
    }
}

/// A rollback by which the session becomes usable again; where it fails, the session is broken and
/// replaced by its next user.
async fn roll_back(link: &Link) {
    let _ = link.client.batch_execute("rollback").await;
}

fn wakes_others(write: &Write) -> bool {
    matches!(write, Write::Insert { table, .. } | Write::Upsert { table, .. } if table.name == WAKING_TABLE)
}

type Sent<'a> = Pin<Box<dyn Future<Output = Result<u64, tokio_postgres::Error>> + Send + 'a>>;

/// Sends `first` (such as `begin`), then all statements, without waiting in between; the first failure is the answer.
async fn send(link: &mut Link, first: Option<&'static str>, ops: &[Op<'_>], wakes: bool) -> Result<(), CommitError> {
    let prepared = if link.pooled { Vec::new() } else { prepare(link, ops).await? };
    for op in ops.iter().filter(|_| link.pooled) {
        if let Op::Exec { sql, args, .. } = op {
            counted(sql_text::parameters(sql), args.len(), sql)?;
        }
    }
    let notify = if wakes && !link.pooled { Some(link.prepared(NOTIFY).await?) } else { None };
    let (client, pooled) = (&link.client, link.pooled);
    let mut sent: Vec<Sent<'_>> = Vec::with_capacity(ops.len() + 2);
    if let Some(first) = first {
        sent.push(Box::pin(async move { client.batch_execute(first).await.map(|()| 0) }));
    }
    if pooled {
        sent.extend(ops.iter().map(|op| without_a_name(client, op)));
    }
    for (op, statement) in ops.iter().zip(&prepared) {
        let params: Vec<Param<'_>> = match op {
            Op::Rows { table, rows, .. } => batch::arrays(table, rows),
            Op::Exec { args, .. } => args.iter().map(Param::One).collect(),
        };
        sent.push(Box::pin(client.execute_raw(statement, params)));
    }
    match &notify {
        Some(statement) => sent.push(Box::pin(client.execute_raw(statement, Vec::<Param<'_>>::new()))),
        None if wakes => sent.push(Box::pin(unnamed(client, NOTIFY, Vec::new()))),
        None => {}
    }
    let answers = in_order(sent).await;
    for (index, answer) in answers.into_iter().enumerate() {
        let op = index.checked_sub(usize::from(first.is_some())).and_then(|index| ops.get(index));
        match (op, answer) {
            (None, Ok(_)) | (Some(Op::Rows { .. }), Ok(_)) => {}
            (Some(Op::Exec { table, expect, .. }), Ok(changed)) => {
                if let Some(expected) = expect.filter(|expected| *expected != changed) {
                    return Err(unexpected(table, expected, changed));
                }
            }
            (None, Err(error)) => return Err(fault(&error, first.unwrap_or(CHANNEL)).into()),
            (Some(Op::Rows { table, .. } | Op::Exec { table, .. }), Err(error)) => {
                return Err(refused(&error, table));
            }
        }
    }
    Ok(())
}

async fn prepare(link: &mut Link, ops: &[Op<'_>]) -> Result<Vec<Statement>, Fault> {
    let mut prepared = Vec::with_capacity(ops.len());
    for op in ops {
        prepared.push(match op {
            Op::Rows { table, upsert, .. } => link.prepared_rows(table, *upsert).await?,
            Op::Exec { sql, args, .. } => {
                let statement = link.prepared(sql).await?;
                counted(statement.params().len(), args.len(), sql)?;
                statement
            }
        });
    }
    Ok(prepared)
}

/// A statement as it is sent where no session keeps a prepared one.
fn without_a_name<'a>(client: &'a Client, op: &Op<'a>) -> Sent<'a> {
    let (text, params): (String, Vec<(Param<'a>, Type)>) = match op {
        Op::Rows { table, upsert, rows } => {
            let types = table.columns.iter().map(|(_, kind)| batch::array_type(*kind));
            (sql_text::many_rows(table, *upsert), batch::arrays(table, rows).into_iter().zip(types).collect())
        }
        Op::Exec { sql, args, .. } => {
            (sql_text::render(sql, Dialect::Postgres), args.iter().map(|arg| (Param::One(arg), batch::type_of(arg))).collect())
        }
    };
    Box::pin(async move { unnamed(client, &text, params).await })
}

/// Polls each future once in order, which sends it, then collects the answers in the same order,
/// which is how they arrive.
async fn in_order(mut sent: Vec<Sent<'_>>) -> Vec<Result<u64, tokio_postgres::Error>> {
    let mut early: Vec<Option<Result<u64, tokio_postgres::Error>>> = Vec::with_capacity(sent.len());
    poll_fn(|context| {
        for future in &mut sent {
            early.push(match future.as_mut().poll(context) {
                Poll::Ready(answer) => Some(answer),
                Poll::Pending => None,
            });
        }
        Poll::Ready(())
    })
    .await;
    let mut answers = Vec::with_capacity(sent.len());
    for (future, known) in sent.into_iter().zip(early) {
        answers.push(match known {
            Some(answer) => answer,
            None => future.await,
        });
    }
    answers
}

/// A refused row: a conflict where a key is taken, else a fault.
fn refused(error: &tokio_postgres::Error, table: &'static Table) -> CommitError {
    if error.code() == Some(&SqlState::UNIQUE_VIOLATION) {
        return CommitError::Conflict { table: table.name, why: "a row with this key exists already".to_owned() };
    }
    fault(error, table.name).into()
}

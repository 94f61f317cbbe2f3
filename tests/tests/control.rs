//! The control sockets, with real connections and a controller that answers what the test says.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Result, ensure};
use enforcer::control::{
    HttpRequest, HttpResponse, Question, Refusal, Request, Response,
    client::{self, CallError},
    listen::{self, Access, ListenError},
    portal::HealthView,
    refusal::Kind,
    request::{Mode, ModeChange},
    serve::{self, Call},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    sync::mpsc,
};

/// A socket that is served, in a directory of its own.
struct Served<Q: Question> {
    socket: PathBuf,
    calls: mpsc::Receiver<Call<Q>>,
    _directory: TempDir,
}

fn served<Q: Question>(bound: usize) -> Result<Served<Q>> {
    let directory = tempfile::tempdir()?;
    let socket = directory.path().join("control.sock");
    let listener = listen::bind(&socket, &Access::Root)?;
    let (sender, calls) = mpsc::channel(bound);
    tokio::spawn(serve::serve(listener, sender));
    Ok(Served {
        socket,
        calls,
        _directory: directory,
    })
}

fn change() -> Response {
    Response::Mode(ModeChange {
        mode: Mode::Enforce,
        before: Mode::Monitor,
    })
}

/// Sends these bytes as they are, and reads until the gateway hangs up.
async fn raw(socket: &Path, bytes: &[u8]) -> Result<String> {
    let mut stream = UnixStream::connect(socket).await?;
    stream.write_all(bytes).await?;
    stream.shutdown().await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn a_question_reaches_the_controller_with_who_asks_and_the_answer_comes_back() -> Result<()> {
    let mut served = served(1)?;
    let controller = tokio::spawn(async move {
        let call: Call<Request> = served.calls.recv().await.expect("a call");
        let _gone = call.answer.send(Ok(change()));
        (call.question, call.peer)
    });
    let question = Request::Mode {
        mode: Mode::Enforce,
    };
    let answer = client::call(&served.socket, &question).await?;
    let (asked, peer) = controller.await?;
    assert_eq!(answer, change());
    assert_eq!(asked, question);
    assert_eq!(peer.user, nix::unistd::getuid().as_raw());
    assert_eq!(peer.process, Some(nix::unistd::getpid().as_raw()));
    Ok(())
}

#[tokio::test]
async fn a_refusal_comes_back_as_one() -> Result<()> {
    let mut served = served(1)?;
    tokio::spawn(async move {
        let call: Call<Request> = served.calls.recv().await.expect("a call");
        let refusal = Refusal::no_zone("lam", &["lan".to_owned()]);
        let _gone = call.answer.send(Err(refusal));
    });
    let refused = client::call(&served.socket, &Request::Status).await;
    let Err(CallError::Refused(refusal)) = refused else {
        anyhow::bail!("not refused: {refused:?}");
    };
    assert_eq!(refusal.kind, Kind::NotFound);
    assert!(refusal.to_string().contains("`lam`"), "{refusal}");
    Ok(())
}

#[tokio::test]
async fn several_questions_go_over_one_connection() -> Result<()> {
    let mut served = served(1)?;
    tokio::spawn(async move {
        while let Some(call) = served.calls.recv().await {
            let call: Call<HttpRequest> = call;
            let _gone = call
                .answer
                .send(Ok(HttpResponse::Health(HealthView::default())));
        }
    });
    let answers = raw(&served.socket, b"\"health\"\n\"health\"\n").await?;
    assert_eq!(answers.lines().count(), 2, "{answers}");
    Ok(())
}

#[tokio::test]
async fn nonsense_is_refused_without_the_controller() -> Result<()> {
    let mut served = served::<HttpRequest>(1)?;
    // The socket of the HTTP child does not speak the operator's language.
    for nonsense in [
        "\"status\"\n",
        "{\"mode\":{\"mode\":\"monitor\"}}\n",
        "{",
        "\u{fffd}\n",
    ] {
        let answer = raw(&served.socket, nonsense.as_bytes()).await?;
        ensure!(answer.contains("\"invalid\""), "{nonsense}: {answer}");
    }
    assert!(served.calls.try_recv().is_err());
    Ok(())
}

#[tokio::test]
async fn a_line_that_is_too_long_is_refused_and_the_connection_ends() -> Result<()> {
    let served = served::<Request>(1)?;
    let mut stream = UnixStream::connect(&served.socket).await?;
    stream.write_all(&vec![b'x'; serve::MAX_LINE + 1]).await?;
    let mut answer = String::new();
    // The end comes from the gateway: this side has not hung up.
    stream.read_to_string(&mut answer).await?;
    assert!(answer.contains("longer than 65536 bytes"), "{answer}");
    Ok(())
}

#[tokio::test]
async fn a_controller_that_has_no_time_is_said_to_have_none() -> Result<()> {
    let mut served = served::<Request>(1)?;
    let socket = served.socket.clone();
    let first = tokio::spawn(async move { client::call(&socket, &Request::Status).await });
    let held = served.calls.recv().await.expect("a call");
    // Nobody takes the second one, so that there is no room for a third.
    let socket = served.socket.clone();
    let second = tokio::spawn(async move { client::call(&socket, &Request::Status).await });
    while served.calls.is_empty() {
        tokio::task::yield_now().await;
    }
    let refused = raw(&served.socket, b"\"status\"\n").await?;
    ensure!(refused.contains("\"busy\""), "{refused}");
    drop(held);
    drop(served.calls);
    assert!(matches!(
        first.await?,
        Err(CallError::Refused(_) | CallError::HungUp(_))
    ));
    assert!(second.await?.is_err());
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_with_the_socket_is_said() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let socket = directory.path().join("control.sock");
    let absent = client::call(&socket, &Request::Status).await;
    assert!(matches!(absent, Err(CallError::Absent(_))), "{absent:?}");
    drop(listen::bind(&socket, &Access::Root)?);
    let abandoned = client::call(&socket, &Request::Status).await;
    assert!(
        matches!(abandoned, Err(CallError::Abandoned(_))),
        "{abandoned:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_socket_left_behind_is_replaced_and_one_in_use_is_not() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let socket = directory.path().join("control.sock");
    drop(listen::bind(&socket, &Access::Root)?);
    let living = listen::bind(&socket, &Access::Root)?;
    let second = listen::bind(&socket, &Access::Root);
    assert!(
        matches!(second, Err(ListenError::Occupied(_))),
        "{second:?}"
    );
    drop(living);
    std::fs::remove_file(&socket)?;
    std::fs::write(&socket, "precious")?;
    let in_the_way = listen::bind(&socket, &Access::Root);
    assert!(matches!(in_the_way, Err(ListenError::InTheWay(_))));
    assert_eq!(std::fs::read_to_string(&socket)?, "precious");
    Ok(())
}

#[tokio::test]
async fn only_those_who_are_meant_to_can_use_the_socket() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let group = nix::unistd::Group::from_gid(nix::unistd::getgid())?.expect("a group");
    for (access, mode) in [
        (Access::Root, 0o600),
        (Access::User(nix::unistd::getuid().as_raw()), 0o600),
        (Access::Group(group.name), 0o660),
    ] {
        let socket = directory.path().join(format!("{mode:o}{access:?}"));
        let _listener = listen::bind(&socket, &access)?;
        let found = std::fs::metadata(&socket)?.permissions().mode() & 0o777;
        assert_eq!(found, mode, "{access:?}");
    }
    let nobody = listen::bind(
        &directory.path().join("x"),
        &Access::Group("no-such-group".to_owned()),
    );
    assert!(matches!(nobody, Err(ListenError::NoGroup(_))));
    Ok(())
}

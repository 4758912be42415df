//! Serves the API over an empty store in memory, for trying real clients on it:
//! `cargo run -p allclear-api --example amtool_probe -- 127.0.0.1:9199`.
#[path = "../tests/api/world.rs"]
#[allow(dead_code)]
mod world;

#[tokio::main]
async fn main() {
    let at = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9199".into());
    let world = world::World::new().await;
    let listener = tokio::net::TcpListener::bind(&at).await.expect("the address is free");
    axum::serve(listener, world.router).await.expect("serves");
}

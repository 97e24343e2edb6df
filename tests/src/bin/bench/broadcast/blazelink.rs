//! Blazelink without a database: index, sessions, outboxes and websockets as an app has them.

use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use blazelink::session::{ConnectionManager, SessionId, SessionLimits};
use blazelink::subscription::{Dependency, Role, SubscriptionManager, Watch};
use blazelink::transport::{HttpServer, WebSocketTransport};
use poem::{EndpointExt, Route};

use super::publisher::{Scene, obey, say_address};
use crate::commits::{self, TABLE};

pub(super) fn run(scene: Scene) {
    let connections = Arc::new(ConnectionManager::new(SessionLimits {
        total: scene.clients,
        per_address: scene.clients,
    }));
    let manager = SubscriptionManager::new(Arc::new(commits::exposure()), connections);
    let manager = Arc::new(manager);
    for client in 0..scene.clients {
        watch(&manager, scene, client);
    }

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("the machine has threads");
    runtime.spawn(serve(Arc::clone(&manager)));
    obey(scene, |transaction| manager.publish(transaction), || {});
}

/// Has a client's session watch its players.
fn watch(manager: &Arc<SubscriptionManager>, scene: Scene, client: usize) {
    let id = SessionId::new(&client.to_string()).expect("numbers are ids");
    let session = manager.connections().open(&id, Instant::now());
    let watch = manager.watch_for(&session);
    for player in scene.watched_by(client) {
        let reading = watch.begin(commits::object(player), 0);
        let row = Dependency::Row(TABLE, commits::key(player));
        let watched = reading.depend(Role::Declared, row);
        watched.expect("the limit is far away");
        reading.finish();
    }
}

async fn serve(manager: Arc<SubscriptionManager>) {
    let server = HttpServer::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await;
    let server = server.expect("a port is free");
    say_address(server.address());
    let route = Route::new().at("/ws/connect", WebSocketTransport::new(manager));
    let endpoint = route.map_to_response();
    server.serve(endpoint, pending(), Duration::ZERO).await;
}

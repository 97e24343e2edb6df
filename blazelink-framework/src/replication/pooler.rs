//! A pooler for tests: it refuses start-up parameters that it does not know, and lets in whoever
//! comes without them. It answers nothing after that.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Accepts connections for ever. `refused` are the parameters that it does not know.
pub(crate) async fn pooler(listener: TcpListener, refused: &[&str]) {
    while let Ok((mut client, _)) = listener.accept().await {
        let length = client.read_i32().await.unwrap() as usize;
        let mut packet = vec![0; length - 4];
        client.read_exact(&mut packet).await.unwrap();
        let packet = String::from_utf8_lossy(&packet);
        let answer: &[u8] = if refused.iter().any(|name| packet.contains(name)) {
            b"E\0\0\0\x35SFATAL\0C08P01\0Munsupported startup parameter: x\0\0"
        } else {
            b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I"
        };
        client.write_all(answer).await.unwrap();
    }
}

//! What the sockets themselves cost: a loop that writes each frame's bytes to each plain socket,
//! one after the other, and in its pauses reads and discards what the clients confirm.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;

use blazelink::change::Transaction;

use super::baseline::Encoder;
use super::publisher::{Scene, obey, say_address};

/// First byte of a websocket's text frame that is whole (RFC 6455, section 5.2).
const TEXT: u8 = 0x81;

/// Second byte, if the length follows in 16 bits.
const MEDIUM: u8 = 126;

pub(super) fn run(scene: Scene) {
    assert_eq!(scene.players, 1, "every socket is written to");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    say_address(listener.local_addr().expect("it is bound"));
    let accept = |_| {
        let (socket, _) = listener.accept().expect("the clients come");
        socket.set_nodelay(true).expect("the socket is open");
        socket.set_nonblocking(true).expect("the socket is open");
        socket
    };
    let sockets: Vec<TcpStream> = (0..scene.clients).map(accept).collect();
    let mut encoder = Encoder::default();
    let publish = |transaction: &Arc<Transaction>| {
        for change in &transaction.changes {
            let frame = framed(&encoder.frame(change));
            for socket in &sockets {
                write(socket, &frame);
            }
        }
    };
    obey(scene, publish, || sockets.iter().for_each(discard));
}

fn framed(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).expect("frames are small");
    let mut frame = vec![TEXT];
    match u8::try_from(length) {
        Ok(short) if short < MEDIUM => frame.push(short),
        _ => {
            frame.push(MEDIUM);
            frame.extend(length.to_be_bytes());
        }
    }
    frame.extend(text.as_bytes());
    frame
}

fn write(mut socket: &TcpStream, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match socket.write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::yield_now(),
            Err(error) => panic!("a client has gone: {error}"),
        }
    }
}

fn discard(mut socket: &TcpStream) {
    let mut discarded = [0; 16 << 10];
    while socket.read(&mut discarded).is_ok_and(|read| read > 0) {}
}

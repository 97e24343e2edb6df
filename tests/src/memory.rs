//! How much memory this process takes, as Linux counts it (proc(5), `/proc/pid/status`).

/// Most bytes that were resident since the start, or since [`forget_peak`].
pub fn peak() -> usize {
    field("VmHWM:")
}

/// Bytes that are resident now.
pub fn resident() -> usize {
    field("VmRSS:")
}

/// Starts the count of [`peak`] anew from what is resident now (proc(5), `clear_refs`).
pub fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").expect("a process may reset its own peak");
}

fn field(name: &str) -> usize {
    field_of(
        &std::fs::read_to_string("/proc/self/status").expect("Linux has /proc"),
        name,
    )
}

/// The field of this name in a process' status text, in bytes.
pub fn field_of(status: &str, name: &str) -> usize {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<usize>().ok());
    kilobytes.expect("the status has the field, in kB") * 1024
}

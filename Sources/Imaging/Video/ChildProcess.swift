import Foundation
import Synchronization

/// A program that runs beside this one: bytes go to its standard input and come from its standard
/// output, and of what it complains about on standard error the first and the last line are kept.
///
/// Standard input is a socket, so that writing to a program that has died is an error and no
/// SIGPIPE, and the program leads a process group of its own, so that an interrupt from the
/// terminal reaches this program alone. Calls block; `kill` may come from any thread at any time.
final class ChildProcess: Sendable {
  /// How the program came to its end.
  enum Ending: Equatable, Sendable {
    case exit(Int32)
    case signal(Int32)
  }

  /// The other side no longer reads.
  struct Hangup: Error {}

  private struct State {
    var input: Int32
    var ending: Ending?
  }

  // A descriptor that another child inherits would keep this one's input open for ever.
  private static let spawning = Mutex(())

  private let process: pid_t
  private let output: Int32
  private let state: Mutex<State>
  private let complaints: Complaints

  /// Starts the program at an absolute path.
  ///
  /// Throws `ImagingError.unreadable` when the system does not start it.
  init(_ program: String, _ arguments: [String]) throws {
    complaints = Complaints()
    let started = try Self.spawning.withLock { _ in try Self.spawn(program, arguments) }
    process = started.process
    output = started.output
    state = Mutex(State(input: started.input))
    complaints.drain(started.errors)
  }

  deinit {
    kill()
    _ = wait()
    closeInput()
    close(output)
  }

  /// Writes all bytes, waiting while the program is busy with earlier ones.
  func write(_ bytes: UnsafeRawBufferPointer) throws {
    let input = state.withLock { $0.input }
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: rest)
      let count = send(input, part.baseAddress, part.count, noSignal)
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if errno != EINTR {
        throw Hangup()
      }
    }
  }

  /// Tells the program that no more input comes.
  func closeInput() {
    state.withLock { state in
      if state.input >= 0 { close(state.input) }
      state.input = -1
    }
  }

  /// Reads until the buffer is full or the output ends, and says how many bytes came.
  func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    var done = 0
    while done < buffer.count {
      let part = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
      let count = Foundation.read(output, part.baseAddress, part.count)
      if count > 0 {
        done += count
      } else if count == 0 || errno != EINTR {
        break
      }
    }
    return done
  }

  /// Reads the output to its end; nil when it is longer than `limit`.
  func readAll(limit: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: limit + 1)
    let count = bytes.withUnsafeMutableBytes { read(into: $0) }
    return count > limit ? nil : Array(bytes.prefix(count))
  }

  /// Ends the program at once, if it still runs.
  func kill() {
    state.withLock { state in
      if state.ending == nil { _ = Foundation.kill(process, SIGKILL) }
    }
  }

  /// Waits for the program's end.
  func wait() -> Ending {
    // The number stays ours until it is reaped under the lock, so `kill` never hits a stranger.
    var info = siginfo_t()
    while waitid(P_PID, id_t(process), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
    let ending = state.withLock { state in
      if let ending = state.ending { return ending }
      var status: Int32 = 0
      while waitpid(process, &status, 0) < 0, errno == EINTR {}
      let signal = status & 0x7f
      let ending: Ending = signal == 0 ? .exit((status >> 8) & 0xff) : .signal(signal)
      state.ending = ending
      return ending
    }
    complaints.waitForEnd()
    return ending
  }

  /// What the program said on standard error: the first line, and the last if that is another.
  var complaint: String? { complaints.text }

  // MARK: - Starting

  private static func spawn(
    _ program: String, _ arguments: [String]
  ) throws -> (process: pid_t, input: Int32, output: Int32, errors: Int32) {
    var open: [Int32] = []
    func pair(_ make: (UnsafeMutablePointer<Int32>) -> Int32) throws -> (Int32, Int32) {
      var ends: [Int32] = [-1, -1]
      guard ends.withUnsafeMutableBufferPointer({ $0.baseAddress.map(make) ?? -1 }) == 0 else {
        throw failure(program, errno)
      }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      open += ends
      return (ends[0], ends[1])
    }
    var keeping = false
    defer { if !keeping { for end in open { close(end) } } }
    let (ourInput, itsInput) = try pair { socketpair(AF_UNIX, streamSocket, 0, $0) }
    let (ourOutput, itsOutput) = try pair { pipe($0) }
    let (ourErrors, itsErrors) = try pair { pipe($0) }
    silence(ourInput)

    #if canImport(Glibc)
      var (actions, attributes) = (posix_spawn_file_actions_t(), posix_spawnattr_t())
    #else
      var (actions, attributes): (posix_spawn_file_actions_t?, posix_spawnattr_t?)
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    for (end, number) in [(itsInput, Int32(0)), (itsOutput, 1), (itsErrors, 2)] {
      posix_spawn_file_actions_adddup2(&actions, end, number)
    }
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    posix_spawnattr_setpgroup(&attributes, 0)

    let strings = ([program] + arguments).map { strdup($0) }
    defer { for string in strings { free(string) } }
    var process: pid_t = 0
    let code = posix_spawn(&process, program, &actions, &attributes, strings + [nil], environ)
    guard code == 0 else { throw failure(program, code) }
    keeping = true
    for end in [itsInput, itsOutput, itsErrors] { close(end) }
    return (process, ourInput, ourOutput, ourErrors)
  }

  private static func failure(_ program: String, _ code: Int32) -> ImagingError {
    .unreadable(path: program, reason: String(cString: strerror(code)))
  }
}

#if canImport(Glibc)
  private let noSignal = Int32(MSG_NOSIGNAL)
  private let streamSocket = Int32(SOCK_STREAM.rawValue)
  private func silence(_ socket: Int32) {}
#else
  private let noSignal: Int32 = 0
  private let streamSocket = SOCK_STREAM
  private func silence(_ socket: Int32) {
    var on: Int32 = 1
    setsockopt(socket, SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<Int32>.size))
  }
#endif

/// Reads a program's standard error on a thread of its own: a full pipe would stop the program.
private final class Complaints: Sendable {
  private let lines = Mutex<(first: String?, last: String?)>((nil, nil))
  private let ended = DispatchGroup()

  var text: String? {
    lines.withLock { lines in
      guard let first = lines.first, let last = lines.last else { return nil }
      return first == last ? first : "\(first) … \(last)"
    }
  }

  func waitForEnd() { ended.wait() }

  func drain(_ file: Int32) {
    ended.enter()
    Thread.detachNewThread { [self] in
      var line: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 4096)
      while true {
        let count = read(file, &buffer, buffer.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { break }
        for byte in buffer.prefix(count) {
          if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
            keep(line)
            line = []
          } else if line.count < 400 {
            line.append(byte)
          }
        }
      }
      keep(line)
      close(file)
      ended.leave()
    }
  }

  private func keep(_ line: [UInt8]) {
    var text = String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespaces)
    // "[gif @ 0x55d0c3a1b2c0] …": the address says nothing.
    while text.hasPrefix("["), let end = text.range(of: "] ") {
      text.removeSubrange(..<end.upperBound)
    }
    guard !text.isEmpty else { return }
    lines.withLock { $0 = ($0.first ?? text, text) }
  }
}

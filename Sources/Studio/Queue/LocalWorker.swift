import Foundation
import Logging
import Subprocess
import Synchronization

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// A worker in a process of its own, started when there is something to paint and again when it has
/// gone.
public actor LocalWorker: Worker {
  private let program: String
  private let arguments: [String]
  private let environment: [String: String]
  private let logger: Logger
  private var process: Running?
  private var current: String?
  private var wishes: [String: Stop] = [:]

  /// One life of the process.
  private struct Running {
    let task: Task<WorkerDeath, Never>
    let life: Life
    let commands: AsyncStream<Data>.Continuation
    let reports: AsyncStream<WorkerEvent>
  }

  /// What is known of the process once it runs.
  private final class Life: Sendable {
    let identifier = Mutex<pid_t?>(nil)
    let complaints = Mutex<[String]>([])
  }

  /// The process's number; nil while there is none.
  var processIdentifier: pid_t? { process?.life.identifier.withLock { $0 } }

  /// - Parameters:
  ///   - program: the absolute path of reverie.
  ///   - arguments: which make it a worker.
  ///   - environment: added to this program's.
  public init(
    program: String, arguments: [String], environment: [String: String] = [:], logger: Logger
  ) {
    self.program = program
    self.arguments = arguments
    self.environment = environment
    self.logger = logger
  }

  func paint(
    _ order: JobAssignment, tell: @escaping @Sendable (WorkerEvent) async throws -> Void
  ) async throws -> JobOutcome {
    let process = try running()
    process.commands.yield(try Lines.line(Command.paint(order)))
    current = order.job
    defer { current = nil }
    if let stopRequest = wishes.removeValue(forKey: order.job) { stop(order.job, stopRequest) }
    for await report in process.reports {
      switch report {
      case .ended(let ending): return ending
      case .failed(let failure): throw failure
      default:
        do {
          try await tell(report)
        } catch {
          // Whoever listens cannot go on: the worker must not either.
          await end()
          throw error
        }
      }
    }
    self.process = nil
    let death = await process.task.value
    logger.warning(
      "worker ended", metadata: ["job": "\(order.job)", "how": "\(death)"])
    throw death
  }

  func stop(_ job: String, _ how: Stop) {
    guard job == current else {
      wishes[job] = how
      return
    }
    guard let line = try? Lines.line(Command.stop(how)) else { return }
    process?.commands.yield(line)
    guard how == .leave else { return }
    // One that does not hear must not keep the studio open; it has a checkpoint.
    Task {
      try? await Task.sleep(for: .seconds(20))
      if job == current, let number = processIdentifier { kill(number, SIGKILL) }
    }
  }

  func close() async { await end() }

  /// Ends the process by closing its input, and waits for it.
  private func end() async {
    guard let running = process else { return }
    process = nil
    running.commands.finish()
    // One that does not hear must not keep the studio open.
    let end = Task {
      try await Task.sleep(for: .seconds(20))
      if let number = running.life.identifier.withLock({ $0 }) { kill(number, SIGKILL) }
    }
    _ = await running.task.value
    end.cancel()
  }

  private func running() throws -> Running {
    if let process { return process }
    let (commands, commander) = AsyncStream<Data>.makeStream()
    let (reports, reporter) = AsyncStream<WorkerEvent>.makeStream()
    let logger = logger
    let life = Life()
    let configuration = Configuration(
      executable: .path(FilePath(program)), arguments: .init(arguments),
      environment: .inherit.updating(
        Dictionary(
          uniqueKeysWithValues: environment.map {
            (Environment.Key(stringLiteral: $0.key), $0.value)
          })),
      platformOptions: Self.ownGroup)
    let task = Task {
      let memory = OutOfMemory()
      defer { reporter.finish() }
      do {
        let result = try await run(
          configuration, input: .inputWriter, output: .sequence, error: .sequence
        ) { execution in
          life.identifier.withLock { $0 = execution.processIdentifier.value }
          let writer = execution.standardInputWriter
          await withTaskGroup(of: Void.self) { group in
            group.addTask {
              for await line in commands {
                guard (try? await writer.write([UInt8](line))) != nil else { break }
              }
              try? await writer.finish()
            }
            group.addTask {
              do {
                for try await line in execution.standardError.strings() {
                  logger.info("worker says", metadata: ["line": "\(line.prefix(400))"])
                  life.complaints.withLock { $0 = $0.suffix(9) + [String(line.prefix(400))] }
                }
              } catch { logger.debug("worker's complaints ended", metadata: ["error": "\(error)"]) }
            }
            do {
              for try await line in execution.standardOutput.strings(
                separatedBy: .unicodeScalarSequence(["\n"]),
                bufferingPolicy: .maxLineLength(64 << 20))
              {
                guard let report = Lines.read(line, as: WorkerEvent.self) else {
                  logger.warning(
                    "worker wrote no report", metadata: ["line": "\(line.prefix(200))"])
                  continue
                }
                reporter.yield(report)
              }
            } catch { logger.debug("worker's reports ended", metadata: ["error": "\(error)"]) }
            commander.finish()
            await group.waitForAll()
          }
        }
        life.identifier.withLock { $0 = nil }
        let complaint = life.complaints.withLock { $0.last }
        switch result.terminationStatus {
        case .exited(let code): return WorkerDeath(code: Int32(code), complaint: complaint)
        case .signaled(let signal):
          return WorkerDeath(
            signal: Int32(signal), isOutOfMemory: signal == SIGKILL && memory.happened,
            complaint: complaint)
        }
      } catch {
        commander.finish()
        return WorkerDeath(code: 127, complaint: "it cannot be started: \(error)")
      }
    }
    let running = Running(
      task: task, life: life, commands: commander, reports: reports)
    process = running
    return running
  }

  /// An interrupt from the terminal is for the server alone, which then tells its workers.
  private static var ownGroup: PlatformOptions {
    var options = PlatformOptions()
    options.processGroupID = 0
    options.teardownSequence = [
      .send(signal: .terminate, allowedDurationToNextStep: .seconds(5))
    ]
    return options
  }
}

/// Tells whether the system has ended a program for want of memory since this was made.
struct OutOfMemory {
  private let before = Self.count

  /// Whether it has.
  var happened: Bool { Self.count > before }

  /// Programs ended so far, in this control group or else on the machine.
  private static var count: Int {
    let places = ["/sys/fs/cgroup/memory.events", "/proc/vmstat"]
    for place in places {
      guard let text = try? String(contentsOfFile: place, encoding: .utf8) else { continue }
      for line in text.split(separator: "\n") where line.hasPrefix("oom_kill ") {
        if let count = Int(line.dropFirst("oom_kill ".count)) { return count }
      }
    }
    return 0
  }
}

import Foundation
import Imaging
import Synchronization

@testable import Painting
@testable import Studio

/// A worker for tests of the queue: small pictures of one colour, in steps that a test may hold up,
/// and deaths when it is told to die.
final class FakeWorker: Worker {
  /// What it does with a job.
  enum Script: Sendable {
    case paint
    /// Dies after so many steps.
    case die(WorkerDeath, afterStep: Int)
    case refuse(WorkerEvent.Failure)
    /// Waits to be stopped.
    case wait
    /// Tells of so much work before the first step, then waits to be stopped.
    case prepare(WorkerEvent.Progress)
    /// Dies before the first step, having told of work before it.
    case dieBefore(WorkerDeath, WorkerEvent.Progress)
  }

  private struct State {
    var scripts: [String: [Script]] = [:]
    var stops: [String: Stop] = [:]
    /// Who waits for a job to be stopped.
    var waiting: [String: CheckedContinuation<Void, Never>] = [:]
    var painted: [String] = []
  }

  private let state = Mutex(State())
  let steps: Int

  init(steps: Int = 3) { self.steps = steps }

  /// What it does with the coming attempts at jobs of a prompt; then it paints.
  func script(_ prompt: String, _ scripts: [Script]) {
    state.withLock { $0.scripts[prompt] = scripts }
  }

  /// Prompts in the order in which they were painted to the end.
  var painted: [String] { state.withLock { $0.painted } }

  func stop(_ job: String, _ how: Stop) {
    state.withLock {
      $0.stops[job] = how
      return $0.waiting.removeValue(forKey: job)
    }?.resume()
  }

  private func waitToBeStopped(_ job: String) async {
    await withCheckedContinuation { continuation in
      let isStopped = state.withLock {
        guard $0.stops[job] == nil else { return true }
        $0.waiting[job] = continuation
        return false
      }
      if isStopped { continuation.resume() }
    }
  }

  func close() {}

  func paint(
    _ order: JobAssignment, tell: @escaping @Sendable (WorkerEvent) async throws -> Void
  ) async throws -> JobOutcome {
    let prompt = order.request.prompt
    let script: Script = state.withLock { state in
      guard var scripts = state.scripts[prompt], !scripts.isEmpty else { return .paint }
      defer { state.scripts[prompt] = scripts }
      return scripts.removeFirst()
    }
    switch script {
    case .dieBefore(let death, let progress):
      try await tell(.preparing(progress))
      throw death
    case .prepare(let progress):
      try await tell(.preparing(progress))
      await waitToBeStopped(order.job)
      return .stopped
    default: break
    }
    for place in 1...order.count {
      for step in 1...steps {
        try await tell(
          .step(
            .init(step: step, total: steps, unit: "iteration", loss: 0.5, picture: place)))
        switch script {
        case .die(let death, let afterStep) where step == afterStep: throw death
        case .refuse(let failure): throw failure
        case .wait: await waitToBeStopped(order.job)
        default: break
        }
        if let stop = state.withLock({ $0.stops[order.job] }) {
          if stop == .keep { try await tell(picture(order, place, stopped: true)) }
          return stop == .leave ? .left : .stopped
        }
      }
      try await tell(.preview(step: steps, jpeg: Data([0xff, 0xd8, 0xff])))
      try await tell(picture(order, place, stopped: false))
    }
    state.withLock { $0.painted.append(prompt) }
    return .finished
  }

  private func picture(_ order: JobAssignment, _ place: Int, stopped: Bool) throws -> WorkerEvent {
    let folder = URL(filePath: order.run)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    var request = order.request
    request.seed = (request.seed ?? 0) + place - 1
    let metadata = Metadata(
      request: request, pack: .init(id: "tiny", version: "0"), device: "cpu",
      precision: "float32", threads: 1, libtorch: "0", painted: .init(width: 16, height: 16),
      resampling: nil)
    let file = folder.appending(path: "final-\(place).png")
    try Picture(width: 16, height: 16, color: Color(red: UInt8(place), green: 20, blue: 30))
      .write(to: file.path, as: .png(texts: metadata.texts()), replacing: true)
    return .picture(
      .init(
        place: place, path: file.path, metadata: try metadata.json(), score: 0.25,
        stopped: stopped, memory: 1_000_000 + place))
  }
}

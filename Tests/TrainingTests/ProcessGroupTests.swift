import Foundation
import Imaging
import Synchronization
import Testing
import Torch

@testable import Training

/// A port of this machine that is free.
private func freePort() throws -> UInt16 {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  defer { close(descriptor) }
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_addr.s_addr = inet_addr("127.0.0.1")
  var length = socklen_t(MemoryLayout<sockaddr_in>.size)
  let failed = withUnsafeMutablePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      bind(descriptor, $0, length) | getsockname(descriptor, $0, &length)
    }
  }
  try #require(failed == 0)
  return UInt16(bigEndian: address.sin_port)
}

private final class Results<Value: Sendable>: Sendable {
  let all = Mutex<[Int: Result<Value, any Error>]>([:])
}

/// What `body` gives in each of several processes; here threads stand for them.
func inGroup<Value: Sendable>(
  of size: Int, _ body: @escaping @Sendable (ProcessGroup) throws -> Value
) throws -> [Result<Value, any Error>] {
  let port = try freePort()
  let results = Results<Value>()
  let ends = DispatchSemaphore(value: 0)
  // Threads of their own: a pool of as many as there are cores would have some wait for others that never begin.
  for rank in 0..<size {
    Thread.detachNewThread {
      let result = Result {
        let address = ProcessGroup.Address(rank: rank, size: size, host: "127.0.0.1", port: port)
        return try body(try ProcessGroup(address, patience: .seconds(60)))
      }
      results.all.withLock { $0[rank] = result }
      ends.signal()
    }
  }
  for _ in 0..<size { ends.wait() }
  return results.all.withLock { all in (0..<size).compactMap { all[$0] } }
}

/// Fits a line to points that depend on the step alone, each process to its own of them.
private final class SharedLine: Trainee {
  let parameters: [(key: String, tensor: Tensor)]
  private let weight = Tensor([0, 0] as [Float]).variable()
  private let group: ProcessGroup
  private let last: Int

  /// - Parameter last: the step at which it fails.
  init(_ group: ProcessGroup, failingAt last: Int = .max) {
    (self.group, self.last) = (group, last)
    parameters = [("weight", weight)]
  }

  struct Failure: Error {}

  func loss(step: Int) throws -> (loss: Tensor, figures: [(name: String, value: Tensor)]) {
    if step == last { throw Failure() }
    let x = group.own(RandomStream(seed: 1, "points \(step)").normal([16]))
    let guess = x * weight.narrowed(0, 0, 1) + weight.narrowed(0, 1, 1)
    return ((guess - (x * 3 + 1)).square().mean(), [("slope", weight.narrowed(0, 0, 1).mean())])
  }

  func examine(step: Int) throws -> (figures: [(name: String, value: Double)], sheet: Picture?) {
    ([], nil)
  }
}

@Suite struct ProcessGroupTests {
  private func withFolder<Value>(_ body: (URL) throws -> Value) throws -> Value {
    let folder = FileManager.default.temporaryDirectory.appending(path: "run-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
  }

  /// The losses of a training of the line, and what it ended with.
  @Sendable private static func train(
    _ folder: URL, _ group: ProcessGroup, steps: Int, failingAt last: Int = .max,
    until stop: (Int) -> Bool = { _ in false }
  ) throws -> (losses: [Double], weights: [Float]) {
    let schedule = TrainingSchedule(
      seed: 1, steps: steps, batch: 16, rate: 0.1, warmup: 5, cooldown: 20, decay: 0, beta2: 0.99,
      clip: 10, averaging: 0.9, saveEvery: 7, sampleEvery: 50)
    let run = try TrainingRun(
      folder: folder, configuration: ["a": 1], text: "a: 1", isFollowing: !group.isFirst)
    let line = SharedLine(group, failingAt: last)
    let trainer = Trainer(
      line, schedule, run: run, precision: .float32, device: .cpu, group: group)
    var losses: [Double] = []
    try trainer.train(until: { stop(losses.count) }) { losses.append($0.figures[0].value) }
    return (losses, line.parameters[0].tensor.floats())
  }

  @Test("two processes and four take the steps that one takes", arguments: [2, 4])
  func same(size: Int) throws {
    let alone = try withFolder { try Self.train($0, ProcessGroup(), steps: 50) }
    let together = try withFolder { folder in
      try inGroup(of: size) { try Self.train(folder, $0, steps: 50) }.map { try $0.get() }
    }
    #expect(together.count == size)
    for one in together {
      #expect(one.weights == together[0].weights)
      #expect(zip(one.losses, alone.losses).allSatisfy { abs($0 - $1) <= 1e-5 * max(1, $1) })
      #expect(one.losses.count == 50)
    }
  }

  @Test("one that is asked to stop stops all, and together they go on from the checkpoint")
  func stops() throws {
    let whole = try withFolder { folder in
      try inGroup(of: 2) { try Self.train(folder, $0, steps: 40) }.map { try $0.get() }
    }
    let halved = try withFolder { folder in
      let first = try inGroup(of: 2) { group in
        try Self.train(folder, group, steps: 40, until: { group.rank == 1 && $0 == 13 })
      }.map { try $0.get() }
      #expect(first.map(\.losses.count) == [13, 13])
      return try inGroup(of: 2) { try Self.train(folder, $0, steps: 40) }.map { try $0.get() }
    }
    #expect(halved.map(\.losses.count) == [27, 27])
    #expect(halved.map(\.weights) == whole.map(\.weights))
  }

  @Test("a process that is lost ends the others with a reason and a checkpoint", arguments: [0, 1])
  func lost(rank: Int) throws {
    try withFolder { folder in
      let ends = try inGroup(of: 2) { group in
        try Self.train(folder, group, steps: 40, failingAt: group.rank == rank ? 17 : .max)
      }
      #expect(throws: SharedLine.Failure.self) { try ends[rank].get() }
      let error = #expect(throws: TrainingError.self) { try ends[1 - rank].get() }
      guard case .lost(let reason) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(!reason.isEmpty)
      let run = try TrainingRun(folder: folder, configuration: ["a": 1], text: "a: 1")
      #expect(try run.restore([]) == 17)
    }
  }

  @Test("rows that are gathered have the gradient of one process that has them all")
  func gathers() throws {
    let x = RandomStream(seed: 3, "x").normal([4, 5])
    func loss(_ rows: Tensor) -> Tensor {
      (rows.matmul(rows.transposed()) * 0.3).crossEntropy(Tensor.arange(0..<4))
    }
    let weight = RandomStream(seed: 4, "weight").normal([5, 5]).variable()
    let whole: [Float] = gradient(of: loss(x.matmul(weight)), at: [weight])[0].floats()
    let values = (x.floats(), weight.floats())
    let ends = try inGroup(of: 2) { group -> [Float] in
      let x = Tensor(values.0, [4, 5])
      let weight = Tensor(values.1, [5, 5]).variable()
      let rows = try group.gathered(group.own(x).matmul(weight))
      let own = (rows.matmul(rows.transposed()) * 0.3).crossEntropy(Tensor.arange(0..<4))
      return try group.mean(of: gradient(of: own, at: [weight]))[0].floats()
    }
    for end in ends {
      for (a, b) in zip(try end.get(), whole) { #expect(abs(a - b) < 1e-6) }
    }
  }

  @Test("processes that were given different things are told so")
  func differ() throws {
    for end in try inGroup(of: 3, { try $0.check(same: $0.rank == 1 ? "rate: 0.2" : "rate: 0.1") })
    {
      let error = #expect(throws: TrainingError.self) { try end.get() }
      #expect("\(try #require(error))".contains("Processes 1 were given another"))
    }
  }

  @Test("what torchrun and Slurm set says where the others are")
  func environment() throws {
    let torchrun = [
      "RANK": "1", "WORLD_SIZE": "4", "MASTER_ADDR": "node-7", "MASTER_PORT": "1234",
      "SLURM_PROCID": "9", "SLURM_NTASKS": "10",
    ]
    let address = try #require(try ProcessGroup.Address(environment: torchrun))
    #expect((address.rank, address.size) == (1, 4))
    #expect((address.host, address.port, address.isServedByRank0) == ("node-7", 1234, true))

    var agent = torchrun
    agent["TORCHELASTIC_USE_AGENT_STORE"] = "True"
    #expect(try ProcessGroup.Address(environment: agent)?.isServedByRank0 == false)

    let slurm = ["SLURM_PROCID": "2", "SLURM_NTASKS": "3", "MASTER_ADDR": "node-7"]
    let byslurm = try #require(try ProcessGroup.Address(environment: slurm))
    #expect((byslurm.rank, byslurm.size, byslurm.port) == (2, 3, 29_500))

    #expect(try ProcessGroup.Address(environment: [:]) == nil)
    #expect(try ProcessGroup.Address(environment: ["SLURM_NTASKS": "3"]) == nil)
    #expect(try ProcessGroup.Address(environment: ["RANK": "0", "WORLD_SIZE": "1"]) == nil)
  }

  @Test(
    "what is wrong in the environment is named",
    arguments: [
      (["RANK": "4"], "RANK is '4', and must be from 0 to 3"),
      (["RANK": nil], "RANK is not set"), (["WORLD_SIZE": nil], "WORLD_SIZE is not set"),
      (["WORLD_SIZE": "0"], "WORLD_SIZE is '0'"), (["MASTER_ADDR": nil], "MASTER_ADDR is not set"),
      (["MASTER_PORT": "70000"], "MASTER_PORT is '70000'"),
    ] as [([String: String?], String)])
  func refuses(change: [String: String?], word: String) throws {
    var environment = ["RANK": "1", "WORLD_SIZE": "4", "MASTER_ADDR": "a", "MASTER_PORT": "1"]
    for (name, value) in change { environment[name] = value }
    let error = #expect(throws: TrainingError.self) {
      try ProcessGroup.Address(environment: environment)
    }
    #expect("\(try #require(error))".contains(word))
  }
}

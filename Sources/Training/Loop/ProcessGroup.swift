import CProcessGroup
import Foundation
import Torch
import Weights

/// The processes that train one network together, each on its rows of every batch (data parallelism), by libtorch's
/// c10d with gloo: on one machine or many, found by what torchrun and Slurm set.
///
/// Gradients are averaged over the processes before each update, so that the same training on one process and on
/// several takes the same steps, to rounding. Values pass through the processor's memory, whatever the device.
public final class ProcessGroup {
  /// This process's number, from 0.
  public let rank: Int
  /// How many there are.
  public let size: Int
  /// Nil where there is one process only.
  private let handle: cpg_group?

  /// Where the processes of a training find one another.
  public struct Address: Equatable, Sendable {
    /// This process's number, from 0.
    public var rank: Int
    /// How many there are.
    public var size: Int
    /// The host of rank 0.
    public var host: String
    /// The port there.
    public var port: UInt16
    /// Names of this start among those that the store at the port has seen; empty for none.
    var prefix = ""
    /// Whether rank 0 holds the store: torchrun's agent may hold one already.
    var isServedByRank0 = true

    /// What torchrun (RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT), or `srun` and a MASTER_ADDR say; nil where they
    /// say nothing, and for a single process.
    /// - Throws: `TrainingError.group` that names the variable.
    public init?(environment: [String: String]) throws {
      // Slurm sets its numbers for any job; only with an address are they meant for this.
      let bySlurm = environment["RANK"] == nil && environment["WORLD_SIZE"] == nil
      let names = bySlurm ? ("SLURM_PROCID", "SLURM_NTASKS") : ("RANK", "WORLD_SIZE")
      if bySlurm, environment["MASTER_ADDR"] == nil || environment[names.1] == nil { return nil }

      func number(_ name: String, _ range: ClosedRange<Int>, default standard: Int? = nil) throws
        -> Int
      {
        guard let text = environment[name] else {
          if let standard { return standard }
          throw TrainingError.group("\(name) is not set. torchrun and srun set it.")
        }
        guard let value = Int(text), range.contains(value) else {
          throw TrainingError.group(
            "\(name) is '\(text)', and must be from \(range.lowerBound) to \(range.upperBound).")
        }
        return value
      }
      size = try number(names.1, 1...65_536)
      rank = try number(names.0, 0...(size - 1))
      if size == 1 { return nil }
      guard let host = environment["MASTER_ADDR"], !host.isEmpty else {
        throw TrainingError.group(
          "MASTER_ADDR is not set, the host of the process with number 0 among \(size).")
      }
      self.host = host
      port = UInt16(try number("MASTER_PORT", 1...65_535, default: 29_500))
      if environment["TORCHELASTIC_USE_AGENT_STORE"] == "True" {
        isServedByRank0 = false
        prefix = "/worker/attempt_" + (environment["TORCHELASTIC_RESTART_COUNT"] ?? "0")
      }
    }

    init(rank: Int, size: Int, host: String, port: UInt16) {
      (self.rank, self.size, self.host, self.port) = (rank, size, host, port)
    }
  }

  /// This process alone.
  public init() { (rank, size, handle) = (0, 1, nil) }

  /// Meets the others.
  /// - Parameter patience: how long one waits for the others, here and at every step; the first process also
  ///   measures, draws sheets and saves while they wait.
  /// - Throws: `TrainingError.group` where they do not come.
  public init(_ address: Address, patience: Duration = .seconds(1800)) throws {
    (rank, size) = (address.rank, address.size)
    var group: cpg_group?
    let failed = cpg_open(
      address.host, address.port, Int32(rank), Int32(size), address.isServedByRank0,
      address.prefix, Int64(patience / .milliseconds(1)), &group)
    guard failed == 0, let group else {
      throw TrainingError.group(
        "Process \(rank) of \(size) did not find the others at \(address.host):\(address.port): "
          + "\(Self.reason). Start all \(size), with the same MASTER_ADDR and "
          + "MASTER_PORT.")
    }
    handle = group
  }

  deinit { if let handle { cpg_close(handle) } }

  /// Whether it is this process that keeps the run's folder.
  public var isFirst: Bool { rank == 0 }

  /// The rows of a batch of so many that are this process's; `count` is a multiple of `size`.
  func rows(of count: Int) -> Range<Int> { rank * count / size..<(rank + 1) * count / size }

  /// This process's rows of what was drawn for the whole batch, `[B / size, …]` of `[B, …]`.
  func own(_ x: Tensor) -> Tensor { size == 1 ? x : x[rows(of: x.size(0))] }

  /// The rows of all processes, `[B, …]` of `[B / size, …]`. Averaged over the processes, the gradient at what made
  /// the rows is that of one process that made them all.
  func gathered(_ x: Tensor) throws -> Tensor {
    guard let handle else { return x }
    let own = x.detached().to(.cpu).to(.float32)
    var all = [Float](repeating: 0, count: own.count * size)
    try attempt(cpg_gather(handle, own.floats(), Int64(own.count), &all))
    let batch = Tensor(all, [x.size(0) * size] + x.shape.dropFirst()).to(x.device)
    let mine = rows(of: batch.size(0))
    // Only this process's rows have a gradient here; averaging would make it a `size`th.
    let leading = x * Double(size) - x.detached() * Double(size - 1)
    return concatenated(
      [batch[0..<mine.lowerBound], leading, batch[mine.upperBound..<batch.size(0)]], over: 0)
  }

  /// The means over all processes, of the same shapes.
  func mean(of tensors: [Tensor]) throws -> [Tensor] {
    guard handle != nil else { return tensors }
    return try passed(tensors) { handle, values, count in
      let failed = cpg_sum(handle, values, count)
      for i in 0..<Int(count) { values[i] /= Float(size) }
      return failed
    }
  }

  /// What the first process has, of the same shapes.
  func first(of tensors: [Tensor]) throws -> [Tensor] {
    guard handle != nil else { return tensors }
    return try passed(tensors, cpg_broadcast)
  }

  /// Whether it holds in any process.
  func any(_ condition: Bool) throws -> Bool {
    guard handle != nil else { return condition }
    return try mean(of: [Tensor(condition ? 1 : 0)])[0].item() > 0
  }

  /// Refuses to go on where the processes were given different things.
  func check(same text: String) throws {
    guard let handle else { return }
    let own = Checksum.sha256(of: text).utf8.map(Float.init)
    var all = [Float](repeating: 0, count: own.count * size)
    try attempt(cpg_gather(handle, own, Int64(own.count), &all))
    let others = (0..<size).filter {
      all[$0 * own.count..<($0 + 1) * own.count] != all.prefix(own.count)
    }
    guard others.isEmpty else {
      throw TrainingError.group(
        "Processes \(others.map(String.init).joined(separator: ", ")) were given another stage, "
          + "configuration, size or data than process 0. Start all with the same.")
    }
  }

  /// Tensors after an exchange of their values, laid end to end: one message costs less than many.
  private func passed(
    _ tensors: [Tensor], _ exchange: (cpg_group, UnsafeMutablePointer<Float>, Int64) -> Int32
  ) throws -> [Tensor] {
    guard let handle else { return tensors }
    let flat = concatenated(
      tensors.map { $0.detached().to(.cpu).to(.float32).reshaped(-1) }, over: 0)
    var values = flat.floats()
    try attempt(exchange(handle, &values, Int64(values.count)))
    let all = Tensor(values)
    var start = 0
    return tensors.map { tensor in
      defer { start += tensor.count }
      return all.narrowed(0, start, tensor.count).reshaped(tensor.shape).to(tensor.dtype)
        .to(tensor.device)
    }
  }

  /// What failed last, without the place in gloo's source and its advice.
  private static var reason: String {
    let text = String(cString: cpg_last_error())
    let words = text.hasPrefix("[") ? String(text.drop { $0 != "]" }.dropFirst(2)) : text
    return words.components(separatedBy: ". ")[0]
  }

  private func attempt(_ failed: Int32) throws {
    guard failed != 0 else { return }
    throw TrainingError.lost(reason: Self.reason)
  }
}

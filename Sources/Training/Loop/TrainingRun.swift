import Foundation
import Imaging
import Library
import Torch
import Weights

/// The folder of a training: `checkpoint.safetensors`, `log.jsonl`, `curve.png`, `samples/`,
/// `config.yaml`, and `index.html`, which shows them while it runs.
///
/// A checkpoint holds parameters, averages, the optimiser's moments and the step; together with the
/// configuration that is all the state there is.
public struct TrainingRun {
  /// The folder.
  public let folder: URL

  /// The configuration as YAML.
  private let text: String
  /// What else decides over the training; kept in the checkpoint.
  private let options: [String: String]
  /// Keeps other processes from training in the same folder; nil while another process of the group keeps it.
  private var lock: FileLock?

  /// The only value that may change: a schedule reads the same up to the cooldown of a shorter one.
  private static let length = "schedule.steps"

  /// A run in a folder that may not be there yet. One that has a checkpoint goes on only with what it was
  /// begun with, but for the length.
  /// - Parameters:
  ///   - configuration: what is asked for; compared by value with what the run was begun with.
  ///   - text: the same as YAML, kept with the run.
  ///   - options: what else decides over the training, by the name of the option that says it.
  ///   - isFollowing: whether another process of the group keeps the folder, and this one writes nothing there.
  /// - Throws: `TrainingError.run` with every value that differs, and nothing has been written then; the
  ///   same while another process trains there.
  public init(
    folder: URL, configuration: some Codable, text: String, options: [String: String] = [:],
    isFollowing: Bool = false
  ) throws {
    self.folder = folder
    self.text = text
    self.options = options
    if isFollowing { return }
    do {
      lock = try FileLock(folder: folder)
    } catch {
      throw TrainingError.run("The training's folder \(folder.path) \(error).")
    }
    try refuseChanges(configuration)
  }

  /// Whether the folder is this process's to write into, now that another process of the group is gone.
  mutating func takeOver() -> Bool {
    if lock == nil { lock = try? FileLock(folder: folder) }
    return lock != nil
  }

  /// Makes the folder, and writes the configuration there.
  func begin() throws {
    try FileManager.default.createDirectory(
      at: folder.appending(path: "samples"), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: kept, options: .atomic)
  }

  private var kept: URL { folder.appending(path: "config.yaml") }

  /// Where the checkpoint is or will be.
  public var checkpoint: URL { folder.appending(path: "checkpoint.safetensors") }

  /// Writes the whole state, atomically.
  public func save(step: Int, _ tensors: [(key: String, tensor: Tensor)]) throws {
    try SafeTensors.write(
      Dictionary(uniqueKeysWithValues: tensors.map { ($0.key, $0.tensor) }),
      metadata: options.merging(["step": String(step)]) { $1 }, to: checkpoint)
  }

  /// Reads the state back into `tensors` in place.
  /// - Returns: the step to go on from, or nil when there is no checkpoint yet.
  public func restore(_ tensors: [(key: String, tensor: Tensor)]) throws -> Int? {
    guard FileManager.default.fileExists(atPath: checkpoint.path) else { return nil }
    let file = try opened()
    guard let step = file.metadata["step"].flatMap(Int.init) else {
      throw TrainingError.run(
        "\(checkpoint.path) is not a checkpoint of a training: it names no step")
    }
    for (key, tensor) in tensors {
      let stored = file.entries[key]?.shape
      guard stored == tensor.shape else {
        throw TrainingError.run(
          "\(checkpoint.path) belongs to another configuration: '\(key)' is "
            + "\(stored.map { "\($0)" } ?? "missing") there and \(tensor.shape) here. "
            + "Choose another --run folder, or remove this one.")
      }
      tensor.assign(try file.tensor(key))
    }
    return step
  }

  private func opened() throws -> SafeTensors {
    do {
      return try SafeTensors(contentsOf: checkpoint)
    } catch {
      throw TrainingError.run(
        "The training's checkpoint \(checkpoint.path) is damaged: \(error) Remove it to begin anew, or "
          + "choose another --run folder.")
    }
  }

  /// Adds a line to `log.jsonl`.
  public func log(_ figures: [(name: String, value: Double)]) throws {
    let fields = figures.map { name, value in
      let text =
        value == value.rounded() && Swift.abs(value) < 1e15 ? String(Int(value)) : String(value)
      return "\"\(name)\":\(value.isFinite ? text : "null")"
    }
    let line = Data(("{" + fields.joined(separator: ",") + "}\n").utf8)
    let url = folder.appending(path: "log.jsonl")
    if !FileManager.default.fileExists(atPath: url.path) {
      try Data().write(to: url)
    }
    let handle = try FileHandle(forWritingTo: url)
    defer { try? handle.close() }
    try handle.seekToEnd()
    try handle.write(contentsOf: line)
  }

  /// Writes a sample sheet; the newest is also `samples/latest.png`.
  public func save(sheet: Picture, step: Int) throws {
    let samples = folder.appending(path: "samples")
    let name = String(format: "%06d.png", step)
    try sheet.write(to: samples.appending(path: name).path, replacing: true)
    try sheet.write(to: samples.appending(path: "latest.png").path, replacing: true)
  }

  /// Shows how far the training is, for a browser.
  func show(_ report: Trainer.Report) throws {
    let page = TrainingPage(stage: folder.lastPathComponent, report: report)
    try Data(page.html.utf8).write(to: folder.appending(path: "index.html"), options: .atomic)
  }

  /// Draws the losses so far into `curve.png`.
  public func drawCurve() throws {
    let curve = try LossCurve(log: folder.appending(path: "log.jsonl")).render()
    try curve?.write(to: folder.appending(path: "curve.png").path, replacing: true)
  }

  /// What was begun one way and continued another is neither, and its folder would tell the wrong one.
  private func refuseChanges<Value: Codable>(_ configuration: Value) throws {
    let files = FileManager.default
    guard files.fileExists(atPath: checkpoint.path) else { return }
    var changes: [String] = []
    if files.fileExists(atPath: kept.path) {
      let old = try Configuration.values(of: Value.self, at: kept)
      let new = try Configuration.values(configuration)
      changes = Set(old.keys).union(new.keys).subtracting([Self.length]).sorted()
        .filter { old[$0] != new[$0] }
        .map { "\($0): \(old[$0] ?? "nothing") there, \(new[$0] ?? "nothing") here" }
    }
    // Checkpoints of earlier versions name no options.
    let old = try opened().metadata
    for (name, value) in options.sorted(by: { $0.key < $1.key }) {
      if let before = old[name], before != value {
        changes.append("\(name): \(before) there, \(value) here")
      }
    }
    guard changes.isEmpty else {
      throw TrainingError.run(
        "The training in \(folder.path) was begun otherwise:\n"
          + changes.map { "  \($0)\n" }.joined()
          + "Choose another --run folder, or put the old values back; "
          + "only \(Self.length) may be another.")
    }
  }
}

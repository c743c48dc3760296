import Foundation
import Imaging
import Library
import Torch
import Weights

/// The folder of a run, which holds all that it takes to go on when the program was killed:
///
/// ```
/// run.json                 what is painted, and how
/// inputs/                  the files that the request names, by their SHA-256
/// checkpoint.safetensors   where painting stands
/// log.jsonl                a line for each iteration
/// preview.png              the picture so far
/// frames/                  of a film
/// final-1.png …            pictures that are finished, with the ending that was asked for
/// final-1.svg …            their shapes, if wanted
/// final-1.json …           what they would tell, where they are to tell nothing
/// delivered.jsonl          where those went
/// lock                     held by the process that paints, whose number it holds
/// ```
///
/// Every file is replaced as a whole, so that being killed at any instant leaves the old or the new.
public struct RunFolder: Sendable {
  /// What a run paints, and how: enough to do it again in the same way.
  public struct Description: Codable, Sendable, Equatable {
    /// Version of the form, 1.
    public var schema = 1
    /// Resolved.
    public var request: Request
    /// Number of pictures.
    public var count: Int
    /// What moves; nil for pictures that do not.
    public var film: Film?
    /// The pack's folder; nil is the one that ships.
    public var pack: String?
    /// Name and edition of the pack.
    public var packEdition: Metadata.PackReference
    /// Where it is computed, `cpu`.
    public var device: String
    /// Threads of one operation.
    public var threads: Int
    /// Steps between pictures on the way that are kept; nil for none.
    public var previewEvery: Int?
    /// Codes between pictures of a candidate that is being written; nil for none.
    public var codesEvery: Int?
    /// Whether all candidates are shown on a sheet, too; nil is no.
    public var sheet: Bool?
    /// Where finished pictures go: a file's path, or nil for names made up in `folder`.
    public var output: String?
    /// Whether shapes are written as SVG, too; nil is no.
    public var svg: Bool?
    /// The folder for names that are made up.
    public var folder: String
    /// How they are made up, as `{seed}-{prompt}.jpg`; nil as usual.
    public var name: String?
    /// The number of the picture in the list that is painted, for such names.
    public var number: Int?
    /// Whether pictures tell nothing of how they were painted; nil is no.
    public var isBare: Bool?

    /// A description; see the fields.
    public init(
      request: Request, count: Int, film: Film? = nil, pack: String?,
      packEdition: Metadata.PackReference, device: String, threads: Int, previewEvery: Int?,
      output: String?, folder: String
    ) {
      self.request = request
      self.count = count
      self.film = film
      self.pack = pack
      self.packEdition = packEdition
      self.device = device
      self.threads = threads
      self.previewEvery = previewEvery
      self.output = output
      self.folder = folder
    }
  }

  /// The folder.
  public let folder: URL
  /// What is painted.
  public let description: Description
  /// Where the files are that the request names.
  public let files: Attachments

  /// Keeps other processes from painting the same.
  private let lock: FileLock

  /// Makes the folder of a new run.
  /// - Parameter files: copied into it.
  /// - Throws: `PaintingError.badRun`.
  public init(creating folder: URL, _ description: Description, files: Attachments) throws {
    try self.init(creatingFirstFree: CollectionOfOne(folder), description, files: files)
  }

  /// Makes the folder of a new run under the first name that is not taken, also where others do the same
  /// at the same moment.
  /// - Parameters:
  ///   - names: in one folder, the best first.
  ///   - files: copied into it.
  /// - Throws: `PaintingError.badRun`.
  public init(
    creatingFirstFree names: some Collection<URL>, _ description: Description, files: Attachments
  ) throws {
    guard let first = names.first else {
      throw PaintingError.badRun(path: "", reason: "no name for its folder was given")
    }
    // Put together under a hidden name: a run's folder is there whole or not at all.
    let partial = first.deletingLastPathComponent().appending(
      path: ".\(first.lastPathComponent)-\(UUID().uuidString.prefix(8))")
    let inputs = partial.appending(path: "inputs", directoryHint: .isDirectory)
    defer { try? FileManager.default.removeItem(at: partial) }
    lock = try Self.locked(partial, as: first)
    self.description = description
    var copies: [(FileReference, name: String)] = []
    for reference in description.request.references + (description.film?.references ?? []) {
      let source = try files.url(reference)
      let copy = inputs.appending(path: reference.sha256)
        .appendingPathExtension(source.pathExtension)
      try FileManager.default.createDirectory(at: inputs, withIntermediateDirectories: true)
      if !FileManager.default.fileExists(atPath: copy.path) {
        try FileManager.default.copyItem(at: source, to: copy)
      }
      copies.append((reference, copy.lastPathComponent))
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try encoder.encode(description).write(to: Self.description(in: partial), options: .atomic)
    folder = try Self.named(partial, first, in: names)
    var own = Attachments()
    for (reference, name) in copies {
      own.add(reference, at: folder.appending(path: "inputs").appending(path: name))
    }
    self.files = own
  }

  /// Gives a folder the first of the names that is not taken.
  private static func named(
    _ partial: URL, _ first: URL, in names: some Collection<URL>
  ) throws -> URL {
    var code: Int32 = 0
    for name in names {
      if rename(partial.path, name.path) == 0 { return name }
      code = errno
      guard [EEXIST, ENOTEMPTY, ENOTDIR].contains(code) else { break }
    }
    throw PaintingError.badRun(
      path: first.relativePath,
      reason: "its folder cannot be made: " + String(cString: strerror(code)))
  }

  private static func locked(_ folder: URL, as name: URL) throws -> FileLock {
    do {
      return try FileLock(folder: folder, sharing: true)
    } catch .busy(let process) {
      throw PaintingError.runInUse(path: name.relativePath, process: process)
    } catch {
      throw PaintingError.badRun(path: name.relativePath, reason: "it \(error)")
    }
  }

  /// Opens the folder of a run that was left.
  /// - Throws: `PaintingError.badRun`, or `runInUse` while another process paints it.
  public init(opening folder: URL) throws {
    func bad(_ reason: String) -> PaintingError {
      .badRun(path: folder.relativePath, reason: reason)
    }
    guard let data = try? RegularFile.data(at: Self.description(in: folder)) else {
      throw bad("it holds no run.json")
    }
    do {
      description = try JSONDecoder().decode(Description.self, from: data)
    } catch {
      throw bad("its run.json is no description of a run")
    }
    self.folder = folder
    lock = try Self.locked(folder, as: folder)
    // Whoever had it may have finished meanwhile.
    guard FileManager.default.fileExists(atPath: Self.description(in: folder).path) else {
      throw bad("it holds no run.json")
    }
    var own = Attachments()
    for reference in description.request.references + (description.film?.references ?? []) {
      let inputs = folder.appending(path: "inputs")
      let names = (try? FileManager.default.contentsOfDirectory(atPath: inputs.path)) ?? []
      guard let name = names.first(where: { $0.hasPrefix(reference.sha256) }) else {
        throw bad("its input '\(reference.name)' is missing")
      }
      own.add(reference, at: inputs.appending(path: name))
    }
    files = own
  }

  private static func description(in folder: URL) -> URL { folder.appending(path: "run.json") }

  // MARK: Checkpoints

  private var checkpointFile: URL { folder.appending(path: "checkpoint.safetensors") }

  /// Replaces the checkpoint.
  /// - Parameters:
  ///   - notes: what is no tensor.
  ///   - tensors: the rest.
  func save(_ notes: some Encodable, _ tensors: [String: Tensor]) throws {
    let json = String(decoding: try JSONEncoder().encode(notes), as: UTF8.self)
    try SafeTensors.write(
      tensors.mapValues { $0.detached().to(.cpu).contiguous() }, metadata: ["notes": json],
      to: checkpointFile)
  }

  /// The checkpoint; nil when there is none yet.
  /// - Throws: `PaintingError.badRun` when it cannot be read.
  func checkpoint<Notes: Decodable>(_ type: Notes.Type) throws -> (
    notes: Notes, tensor: (String) throws -> Tensor?
  )? {
    guard FileManager.default.fileExists(atPath: checkpointFile.path) else { return nil }
    let file: SafeTensors
    do {
      file = try SafeTensors(contentsOf: checkpointFile)
    } catch {
      throw PaintingError.badRun(
        path: folder.relativePath,
        reason: "its checkpoint.safetensors is damaged; remove that file to begin anew")
    }
    guard let json = file.metadata["notes"],
      let notes = try? JSONDecoder().decode(type, from: Data(json.utf8))
    else {
      throw PaintingError.badRun(path: folder.relativePath, reason: "its checkpoint is damaged")
    }
    return (notes, { name in file.entries[name] == nil ? nil : try file.tensor(name).cloned() })
  }

  /// Keeps tensors under a name of their own, beside the checkpoint.
  func keep(_ tensors: [Tensor], as name: String) throws {
    let named = tensors.enumerated().map { ("\($0)", $1.detached().to(.cpu).contiguous()) }
    try SafeTensors.write(
      Dictionary(uniqueKeysWithValues: named), metadata: [:],
      to: folder.appending(path: "\(name).safetensors"))
  }

  /// Removes what was kept under a name.
  func forget(_ name: String) {
    try? FileManager.default.removeItem(at: folder.appending(path: "\(name).safetensors"))
  }

  /// What was kept under a name; nil when there is nothing.
  func kept(_ name: String) throws -> [Tensor]? {
    let url = folder.appending(path: "\(name).safetensors")
    guard FileManager.default.fileExists(atPath: url.path) else { return nil }
    let file = try SafeTensors(contentsOf: url)
    return try file.names.indices.map { try file.tensor("\($0)").cloned() }
  }

  // MARK: What can be watched

  /// Adds a line to the log.
  func log(iteration: Int, loss: Double?, seconds: Double, picture: Int) {
    let line =
      "{\"picture\":\(picture),\"iteration\":\(iteration),\"loss\":\(loss.map { "\($0)" } ?? "null"),\"seconds\":"
      + String(format: "%.3f", seconds) + "}\n"
    append(line, to: "log.jsonl")
  }

  /// Replaces the preview.
  func show(_ picture: Picture) throws {
    try picture.write(to: folder.appending(path: "preview.png").path, replacing: true)
  }

  private func append(_ line: String, to name: String) {
    let path = folder.appending(path: name).path
    guard let file = fopen(path, "a") else { return }
    fputs(line, file)
    fclose(file)
  }

  // MARK: Results

  /// Where finished picture `number`, counted from 1, is kept until it is delivered.
  public func finished(_ number: Int) -> URL {
    let named = (description.output ?? description.name).map {
      URL(filePath: $0).pathExtension.lowercased()
    }
    // Of a pattern it may be anything.
    let ending = named.flatMap { (try? PictureFormat(extensionOf: "x." + $0)) == nil ? nil : $0 }
    return folder.appending(path: "final-\(number).\(ending ?? "png")")
  }

  /// How many pictures are finished.
  public var finishedCount: Int {
    var number = 0
    while FileManager.default.fileExists(atPath: finished(number + 1).path) { number += 1 }
    return number
  }

  /// Where a film's frame `number`, counted from 1, is kept.
  public func frame(_ number: Int) -> URL {
    let digits = "\(number)"
    let padding = String(repeating: "0", count: max(0, 6 - digits.count))
    return folder.appending(path: "frames/\(padding)\(digits).png")
  }

  /// How many frames there are, without a gap from the first.
  public var frameCount: Int {
    var number = 0
    while FileManager.default.fileExists(atPath: frame(number + 1).path) { number += 1 }
    return number
  }

  /// Gives a finished picture its place: the one that was noted for it before, else one that `choose`
  /// proposes and is not taken.
  /// - Parameter choose: proposes the place of attempt 1, 2, ….
  /// - Returns: where it is.
  public func deliver(_ number: Int, file: URL, choose: (Int) -> URL) throws -> URL {
    if let noted = deliveries[number].map({ URL(filePath: $0) }) {
      if try isThere(file, at: noted) { return noted }
      if try place(file, at: noted) { return noted }
    }
    for attempt in 1...10_000 {
      let target = choose(attempt)
      if FileManager.default.fileExists(atPath: target.path) { continue }
      append("{\"number\":\(number),\"path\":\(Self.quoted(target.path))}\n", to: "delivered.jsonl")
      if try place(file, at: target) { return target }
    }
    throw PaintingError.badRun(path: folder.relativePath, reason: "there is no free name left")
  }

  /// Whether the file has its place already, by us: as a link to it, or as a copy on another file system.
  private func isThere(_ file: URL, at target: URL) throws -> Bool {
    var (own, there) = (stat(), stat())
    guard stat(file.path, &own) == 0, stat(target.path, &there) == 0 else { return false }
    if own.st_dev == there.st_dev { return own.st_ino == there.st_ino }
    return FileManager.default.contentsEqual(atPath: file.path, andPath: target.path)
  }

  /// Gives the file a place; false when another one has it.
  private func place(_ file: URL, at target: URL) throws -> Bool {
    if link(file.path, target.path) == 0 { return true }
    if errno == EEXIST { return false }
    // Another file system: written beside the place, then given its name if that is free.
    do {
      try FileOutput.write(Data(contentsOf: file), to: target.path, replacing: false)
      return true
    } catch ImagingError.exists {
      return false
    }
  }

  private struct Delivery: Decodable {
    let number: Int
    let path: String
  }

  /// Where pictures were to go, by number.
  private var deliveries: [Int: String] {
    guard let data = try? RegularFile.data(at: folder.appending(path: "delivered.jsonl")) else {
      return [:]
    }
    let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
    return lines.reduce(into: [:]) { places, line in
      guard let delivery = try? JSONDecoder().decode(Delivery.self, from: Data(line.utf8)) else {
        return
      }
      places[delivery.number] = delivery.path
    }
  }

  private static func quoted(_ text: String) -> String {
    (try? JSONEncoder().encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
  }

  /// Whether there is anything that going on could use.
  public var hasBegun: Bool {
    finishedCount > 0 || FileManager.default.fileExists(atPath: checkpointFile.path)
  }

  /// Removes the folder. It loses its name first, so that there never is half a run.
  public func remove() {
    let gone = folder.deletingLastPathComponent().appending(
      path: ".\(folder.lastPathComponent)-\(UUID().uuidString.prefix(8))")
    let renamed = rename(folder.path, gone.path) == 0
    try? FileManager.default.removeItem(at: renamed ? gone : folder)
  }
}

import ArgumentParser
import Commands
import Foundation
import Library
import Models
import Painting
import Synchronization
import Weights

/// `reverie models …`: the models that are installed beside the pack.
struct ModelsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "models",
    abstract: "Installs and explains the checkpoints that people have.",
    discussion: """
      Models live in $XDG_DATA_HOME/reverie/models, or where REVERIE_MODELS says.

      EXAMPLES
        reverie models show ViT-B-32.pt
        reverie models add ViT-B-32.pt --id vit-b32
        reverie models add vqgan_imagenet_f16_16384.ckpt --id f16
        reverie "a castle" --method \(Registry.guiding) --clip vit-b32 --model f16
      """,
    subcommands: [List.self, Show.self, Add.self, Pull.self, Verify.self, Remove.self],
    defaultSubcommand: List.self)

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists what is installed.")

    @Flag(help: "Print the records as JSON, one object a line.")
    var json = false

    @Flag(help: "List the public checkpoints that can be pulled by name instead.")
    var known = false

    func run() throws {
      guard !known else {
        for model in try KnownModel.all() {
          let mark = model.verified == "hash" ? "hash known" : "unverified"
          let columns = [
            model.id.padded(26), model.kind.rawValue.padded(11), mark.padded(11),
            model.licence.padded(14), model.title,
          ]
          Console.result(columns.joined(separator: " "))
        }
        return
      }
      let store = ModelStore.standard()
      let models = store.models()
      if models.isEmpty, !json {
        Console.say(
          "No models in \(store.folder.path). The pack paints without any. "
            + "Add one with: reverie models add FILE")
      }
      for model in models {
        let record = model.record
        if json {
          let encoder = JSONEncoder()
          encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
          Console.result(String(decoding: try encoder.encode(record), as: UTF8.self))
        } else {
          let columns = [
            record.id.padded(32), record.kind.rawValue.padded(11),
            bytes(record.size).padded(9), record.title,
          ]
          Console.result(columns.joined(separator: " "))
        }
      }
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Explains a file, a folder or an installed model without loading it.")

    @Argument(help: "A file, a folder, or the name of an installed model.")
    var model: String

    func run() throws {
      let url = URL(filePath: model)
      if FileManager.default.fileExists(atPath: url.path) {
        for recognition in try ModelLibrary().look(at: url) { try explain(recognition) }
        return
      }
      let installed = try ModelStore.standard().model(model)
      let record = installed.record
      row("model", "\(record.id): \(record.title)")
      row("from", record.source)
      row("licence", record.licence ?? "not stated")
      for (name, file) in record.files.sorted(by: { $0.key < $1.key }) {
        row("file", "\(name), \(bytes(file.size)), SHA-256 \(file.sha256)")
      }
      guard record.kind != .vocabulary else { return }
      for recognition in try ModelLibrary().look(at: installed.folder) { try explain(recognition) }
    }

    private func explain(_ found: Recognition) throws {
      let file = found.file
      row("path", file.url.path)
      row("container", file.container.rawValue)
      row("network", found.title)
      row("layout", found.layout + (found.prefix.isEmpty ? "" : ", keys below '\(found.prefix)'"))
      for note in found.notes { row("note", note) }
      let own = file.names.filter { $0.hasPrefix(found.prefix) }
      let entries = own.compactMap { file.entries[$0] }
      row(
        "tensors",
        "\(entries.count), \(entries.reduce(0) { $0 + $1.count }) elements, "
          + bytes(entries.reduce(0) { $0 + $1.byteCount }))
      let types = Dictionary(grouping: entries, by: \.dtype).map { ("\($0.key)", $0.value.count) }
      row("types", types.sorted { $0.1 > $1.1 }.map { "\($0.0) \($0.1)" }.joined(separator: ", "))
      let fit = try found.fit()
      let besides = (fit?.besides ?? []).filter { file.entries[found.prefix + $0] != nil }
      let others =
        file.names.count - own.count + besides.count { file.entries[found.prefix + $0] != nil }
      if others > 0 {
        let named = besides.isEmpty ? "" : ": " + besides.prefix(8).joined(separator: ", ")
        row("beside", Console.counted(others, "tensor") + " not used" + named)
      }
      if !file.unread.isEmpty {
        let types = Set(file.unread.values).sorted().joined(separator: ", ")
        row(
          "not read",
          "\(file.unread.count) of other types (\(types)): "
            + file.unread.keys.sorted().prefix(8).joined(separator: ", "))
      }
      if !file.foreign.isEmpty {
        row("passed over", file.foreign.prefix(12).joined(separator: ", "))
      }
      switch fit {
      case nil: row("keys", file.names.prefix(8).joined(separator: ", "))
      case let fit?: row("keys", fit.problem ?? "all fit")
      }
    }

    private func row(_ name: String, _ value: String) {
      Console.result(name.padded(12) + value)
    }
  }

  struct Add: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Recognises a file or a folder and installs it.")

    @Argument(help: "A file or a folder; encoder.pkl and decoder.pkl together are DALL·E's dVAE.")
    var paths: [String]

    @Option(help: "Its name; made of the file's name if left out.")
    var id: String?

    @Flag(help: "Link to the files where they lie instead of copying them.")
    var link = false

    @Option(help: "The licence, to be noted.")
    var licence: String?

    @Option(help: "Where it came from, to be noted.")
    var source: String?

    @Option(help: "CLIP's activation where the file does not tell: quickgelu or gelu.")
    var activation: String?

    func validate() throws {
      if let activation, !["quickgelu", "gelu"].contains(activation) {
        throw ValidationError("'\(activation)' is no activation. Use quickgelu or gelu.")
      }
    }

    func run() throws {
      var particulars = ModelLibrary.Particulars()
      particulars.id = id
      particulars.licence = licence
      particulars.source = source
      particulars.quickGELU = activation.map { $0 == "quickgelu" }
      let model = try ModelLibrary().add(
        paths.map { URL(filePath: $0) }, particulars, link ? .link : .copy)
      Console.say(
        "Installed \(model.record.title) (\(bytes(model.record.size))) in \(model.folder.path).")
      if model.record.kind != .vocabulary {
        for found in try ModelLibrary().look(at: model.folder) {
          for note in found.notes { Console.say("note: \(note)") }
          let besides = try found.fit()?.besides ?? []
          guard !besides.isEmpty else { continue }
          Console.say(
            "Passed over, since the network has no use for them: "
              + besides.prefix(8).joined(separator: ", ")
              + (besides.count > 8 ? " and \(besides.count - 8) more" : ""))
        }
      }
      Console.result(model.record.id)
    }
  }

  struct Pull: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Fetches a model from a hub, or by a name of the registry, and installs it.",
      discussion: """
        What was cut off is taken up again by the same command. HF_ENDPOINT, HF_TOKEN, \
        HF_HUB_OFFLINE, HTTPS_PROXY, ALL_PROXY, NO_PROXY (also in small letters) and the cache of Hugging Face's own client are honoured.

        EXAMPLES
          reverie models pull openai-vit-b-32
          reverie models pull hf:openai/clip-vit-base-patch32
        """)

    @Argument(help: "hf:org/name, hf:org/name@revision, or a name of 'models list --known'.")
    var source: String

    @Option(help: "Its name; made of the source's name if left out.")
    var id: String?

    func run() async throws {
      var particulars = ModelLibrary.Particulars()
      particulars.id = id
      let line = DownloadLine()
      defer { line.clear() }
      let model = try await ModelLibrary().pull(source, particulars) {
        line.show($0)
      } waiting: { problem in
        line.clear()
        Console.say(problem)
      }
      line.clear()
      Console.say(
        "Installed \(model.record.title) (\(bytes(model.record.size))) in \(model.folder.path).")
      Console.result(model.record.id)
    }
  }

  struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Compares installed files with the hashes noted when they came.")

    @Argument(help: "Names of models; all if left out.")
    var ids: [String] = []

    func run() async throws {
      let store = ModelStore.standard()
      let names = ids.isEmpty ? store.models().map(\.record.id) : ids
      var batch = Batch(of: names.count)
      var broken = 0
      for name in names {
        try await batch.attempt(name) {
          let problems = store.problems(of: try store.model(name))
          broken += problems.isEmpty ? 0 : 1
          Console.result("\(name.padded(32)) \(problems.isEmpty ? "sound" : "damaged")")
          for problem in problems { Console.error(problem) }
        }
      }
      try batch.end()
      if broken > 0 { throw ExitCode(1) }
    }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Removes an installed model.")

    @Argument(help: "Its name.")
    var id: String

    func run() throws {
      try ModelStore.standard().remove(id)
      Console.say("Removed \(id).")
    }
  }
}

/// One line on a terminal that says how a download stands; nothing elsewhere.
private final class DownloadLine: Sendable {
  private struct State {
    var shown = ContinuousClock.now - .seconds(1)
    var start: (time: ContinuousClock.Instant, done: Int)?
  }

  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let state = Mutex(State())

  func show(_ fetching: ModelLibrary.Fetching) {
    guard isTerminal else { return }
    let now = ContinuousClock.now
    let pace: Double? = state.withLock { state in
      let start = state.start ?? (now, fetching.done)
      state.start = start
      guard now - state.shown >= .milliseconds(200) else { return nil }
      state.shown = now
      return Double(fetching.done - start.done) / max(0.001, (now - start.time).seconds)
    }
    guard let pace else { return }
    var text = "\(fetching.file)  \(bytes(fetching.done))"
    if fetching.total > 0 {
      text += " of \(bytes(fetching.total))"
      if pace > 0 {
        let left = Duration.seconds(Double(fetching.total - fetching.done) / pace)
        text += "  \(left.formatted(.time(pattern: .hourMinuteSecond))) left"
      }
    }
    write("\r\u{1B}[K" + text)
  }

  func clear() { if isTerminal { write("\r\u{1B}[K") } }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}

/// A number of bytes for people.
func bytes(_ count: Int) -> String {
  let (kilo, mega, giga) = (1e3, 1e6, 1e9)
  let size = Double(count)
  return switch size {
  case ..<kilo: "\(count) B"
  case ..<mega: String(format: "%.1f kB", size / kilo)
  case ..<giga: String(format: "%.1f MB", size / mega)
  default: String(format: "%.2f GB", size / giga)
  }
}

extension String {
  /// Filled up with blanks.
  fileprivate func padded(_ width: Int) -> String {
    count >= width ? self + " " : padding(toLength: width, withPad: " ", startingAt: 0)
  }
}

// Queues to compare with the engine's: the loops of benchmarks/queues.py over heaps of two and four children, with the
// place of every entry noted so that it can be moved, and over std::priority_queue, which cannot move an entry.

#include <cmath>
#include <cstdint>
#include <cstring>
#include <queue>
#include <vector>

namespace {

template <int children>
struct Heap {  // of neurons by time, each at most once
    std::vector<double> time;
    std::vector<int32_t> neuron;
    std::vector<int64_t> place;

    Heap(int64_t n, double) : place(n, -1) {}

    void settle(int64_t i, double t, int32_t n) {
        const int64_t size = (int64_t)time.size();
        while (i > 0 && t < time[(i - 1) / children]) {
            move(i, (i - 1) / children);
            i = (i - 1) / children;
        }
        for (;;) {
            int64_t first = children * i + 1;
            if (first >= size) break;
            for (int64_t c = first + 1; c <= children * i + children && c < size; c++)
                if (time[c] < time[first]) first = c;
            if (!(time[first] < t)) break;
            move(i, first);
            i = first;
        }
        time[i] = t;
        neuron[i] = n;
        place[n] = i;
    }

    void move(int64_t to, int64_t from) {
        time[to] = time[from];
        neuron[to] = neuron[from];
        place[neuron[to]] = to;
    }

    void set(int32_t n, double t) {
        int64_t i = place[n];
        if (t < INFINITY) {
            if (i < 0) {
                i = (int64_t)time.size();
                time.push_back(t);
                neuron.push_back(n);
            }
            settle(i, t, n);
        } else if (i >= 0) {
            double last = time.back();
            int32_t mover = neuron.back();
            time.pop_back();
            neuron.pop_back();
            place[n] = -1;
            if (i < (int64_t)time.size()) settle(i, last, mover);
        }
    }

    bool take(double stop, int32_t* n) {
        if (time.empty() || !(time[0] < stop)) return false;
        *n = neuron[0];
        set(*n, INFINITY);
        return true;
    }
};

struct Standard {  // superseded entries stay until they are due
    struct Entry {
        double time;
        int32_t neuron;
        bool operator<(const Entry& other) const { return time > other.time; }
    };
    std::priority_queue<Entry> queue;
    std::vector<double> own;

    Standard(int64_t n, double) : own(n, INFINITY) {}

    void set(int32_t n, double t) {
        own[n] = t;
        if (t < INFINITY) queue.push({t, n});
    }

    bool take(double stop, int32_t* n) {
        while (!queue.empty() && queue.top().time < stop) {
            Entry first = queue.top();
            queue.pop();
            if (own[first.neuron] == first.time) {
                own[first.neuron] = INFINITY;
                *n = first.neuron;
                return true;
            }
        }
        return false;
    }
};

struct Calendar {  // of one level: a ring of days, and one list of all that lies beyond its year
    static const int64_t days = 1024;
    const double width;
    int64_t today = 0;
    size_t at = 0;
    std::vector<std::vector<int32_t>> day;
    std::vector<int32_t> beyond;
    std::vector<int64_t> filed;
    std::vector<double> own;

    Calendar(int64_t n, double width) : width(width), day(days), filed(n, INT64_MAX), own(n, INFINITY) {}

    void set(int32_t n, double t) {
        own[n] = t;
        if (!(t < INFINITY)) return;
        const int64_t key = (int64_t)(t / width);
        if (key >= filed[n]) return;
        filed[n] = key;
        (key / days == today / days ? day[key % days] : beyond).push_back(n);
    }

    bool take(double stop, int32_t* n) {
        for (;; today++) {
            if (at == 0 && today % days == 0) {
                std::vector<int32_t> all;
                all.swap(beyond);
                for (int32_t m : all)
                    if (filed[m] / days >= today / days) {
                        filed[m] = INT64_MAX;
                        set(m, own[m]);
                    }
            }
            std::vector<int32_t>& list = day[today % days];
            while (at < list.size()) {
                const int32_t m = list[at++];
                if (filed[m] != today) continue;
                filed[m] = INT64_MAX;
                if (own[m] < stop) {
                    own[m] = INFINITY;
                    *n = m;
                    return true;
                }
                set(m, own[m]);
            }
            list.clear();
            at = 0;
            if (!((double)(today + 1) * width < stop)) break;
        }
        return false;
    }
};

template <class Queue>
int64_t wakes(int64_t n, double width, int64_t windows, const double* stop, const int64_t* begin,
              const int32_t* neuron, const double* time, int32_t* taken) {
    Queue queue(n, width);
    int64_t count = 0;
    for (int64_t k = 0; k < windows; k++) {
        while (queue.take(stop[k], &taken[count])) count++;
        for (int64_t i = begin[k]; i < begin[k + 1]; i++) queue.set(neuron[i], time[i]);
    }
    return count;
}

struct Row {
    double time;
    int64_t key[5];
    int64_t number;
    bool operator<(const Row& other) const {
        if (time != other.time) return time > other.time;
        for (int i = 0; i < 5; i++)
            if (key[i] != other.key[i]) return key[i] > other.key[i];
        return false;
    }
};

template <int children>
struct RowHeap {
    std::vector<Row> heap;

    bool empty() const { return heap.empty(); }
    const Row& top() const { return heap[0]; }

    void push(const Row& row) {
        int64_t i = (int64_t)heap.size();
        heap.push_back(row);
        while (i > 0 && heap[(i - 1) / children] < row) {
            heap[i] = heap[(i - 1) / children];
            i = (i - 1) / children;
        }
        heap[i] = row;
    }

    void pop() {
        Row last = heap.back();
        heap.pop_back();
        const int64_t size = (int64_t)heap.size();
        int64_t i = 0;
        if (size == 0) return;
        for (;;) {
            int64_t first = children * i + 1;
            if (first >= size) break;
            for (int64_t c = first + 1; c <= children * i + children && c < size; c++)
                if (heap[first] < heap[c]) first = c;
            if (!(last < heap[first])) break;
            heap[i] = heap[first];
            i = first;
        }
        heap[i] = last;
    }
};

template <class Queue>
int64_t rows(int64_t windows, const double* stop, const int64_t* begin, const double* time, const int64_t* key,
             int64_t* taken) {
    Queue queue;
    int64_t count = 0;
    for (int64_t k = 0; k < windows; k++) {
        for (; !queue.empty() && queue.top().time < stop[k]; queue.pop()) taken[count++] = queue.top().number;
        for (int64_t i = begin[k]; i < begin[k + 1]; i++) {
            Row row;
            row.time = time[i];
            std::memcpy(row.key, key + 5 * i, sizeof row.key);
            row.number = i;
            queue.push(row);
        }
    }
    return count;
}

}  // namespace

#define WAKES(name, ...)                                                                                      \
    extern "C" int64_t wakes_##name(int64_t n, double width, int64_t windows, const double* stop,              \
                                    const int64_t* begin, const int32_t* neuron, const double* time,           \
                                    int32_t* taken) {                                                          \
        return wakes<__VA_ARGS__>(n, width, windows, stop, begin, neuron, time, taken);                        \
    }
#define ROWS(name, ...)                                                                                       \
    extern "C" int64_t rows_##name(int64_t windows, const double* stop, const int64_t* begin,                  \
                                   const double* time, const int64_t* key, int64_t* taken) {                   \
        return rows<__VA_ARGS__>(windows, stop, begin, time, key, taken);                                      \
    }

WAKES(binary, Heap<2>)
WAKES(quaternary, Heap<4>)
WAKES(calendar, Calendar)
WAKES(standard, Standard)
ROWS(binary, RowHeap<2>)
ROWS(quaternary, RowHeap<4>)
ROWS(standard, std::priority_queue<Row>)

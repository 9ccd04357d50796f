// DRAM behind AXI4: a fixed latency from each read address to its first beat, one beat per cycle
// after that, in order. Contents come from +image=FILE ($readmemh, one beat a line), the latency
// from +latency=CYCLES.
module dram #(
    parameter BUS_WIDTH = 128,
    parameter BEATS = 1 << 20,
    parameter QUEUE = 16
) (
    input  wire                   clk,
    input  wire                   rst,
    input  wire                   arvalid,
    output wire                   arready,
    input  wire [31:0]            araddr,
    input  wire [7:0]             arlen,
    output reg                    rvalid,
    input  wire                   rready,
    output reg  [BUS_WIDTH-1:0]   rdata,
    output reg  [1:0]             rresp,
    output reg                    rlast,
    input  wire                   awvalid,
    output wire                   awready,
    input  wire [31:0]            awaddr,
    input  wire                   wvalid,
    output wire                   wready,
    input  wire [BUS_WIDTH-1:0]   wdata,
    input  wire [BUS_WIDTH/8-1:0] wstrb,
    input  wire                   wlast,
    output reg                    bvalid,
    input  wire                   bready,
    output reg  [1:0]             bresp
);
    localparam SHIFT = $clog2(BUS_WIDTH / 8);
    localparam OKAY = 2'b00, DECERR = 2'b11;

    reg [BUS_WIDTH-1:0] beats [0:BEATS-1];
    string image;
    integer latency = 32;
    initial begin
        if ($value$plusargs("image=%s", image)) $readmemh(image, beats);
        if ($value$plusargs("latency=%d", latency)) ;
    end

    // Reads: a queue of addresses with the cycle from which each may be served.
    reg [31:0] queue_beat [0:QUEUE-1];
    reg [8:0]  queue_left [0:QUEUE-1];
    reg [63:0] queue_due  [0:QUEUE-1];
    reg [$clog2(QUEUE):0] queued;
    reg [$clog2(QUEUE)-1:0] head, tail;
    reg [63:0] now;

    assign arready = queued < QUEUE;
    wire serve = queued != 0 && now >= queue_due[head] && (!rvalid || rready);
    wire last = queue_left[head] == 1;

    always @(posedge clk) begin
        now <= now + 1;
        if (rready) rvalid <= 0;
        if (arvalid && arready) begin
            queue_beat[tail] <= araddr >> SHIFT;
            queue_left[tail] <= arlen + 9'd1;
            queue_due[tail] <= now + latency - 1;
            tail <= tail + 1;
        end
        if (serve) begin
            rvalid <= 1;
            rdata <= beats[queue_beat[head]];
            rresp <= queue_beat[head] < BEATS ? OKAY : DECERR;
            rlast <= last;
            queue_beat[head] <= queue_beat[head] + 1;
            queue_left[head] <= queue_left[head] - 1;
            if (last) head <= head + 1;
        end
        queued <= queued + (arvalid && arready) - (serve && last);
        if (rst) begin
            now <= 0; rvalid <= 0; queued <= 0; head <= 0; tail <= 0;
        end
    end

    // Writes: a queue of burst addresses; a beat is taken whenever its address is known.
    reg [31:0] write_beat [0:QUEUE-1];
    reg [$clog2(QUEUE):0] opened, owed;
    reg [$clog2(QUEUE)-1:0] first, next;
    reg bad, owed_bad;
    wire close = wvalid && wready && wlast;
    wire answer = owed != 0 && (!bvalid || bready);
    wire outside = write_beat[first] >= BEATS;

    assign awready = opened < QUEUE;
    assign wready = opened != 0;
    always @(posedge clk) begin
        if (bready) bvalid <= 0;
        if (awvalid && awready) begin
            write_beat[next] <= awaddr >> SHIFT;
            next <= next + 1;
        end
        if (wvalid && wready) begin
            if (!outside)
                for (int lane = 0; lane < BUS_WIDTH / 8; lane++)
                    if (wstrb[lane]) beats[write_beat[first]][8*lane +: 8] <= wdata[8*lane +: 8];
            write_beat[first] <= write_beat[first] + 1;
            bad <= !wlast && (bad || outside);
            if (wlast) begin
                first <= first + 1;
                owed_bad <= bad || outside;
            end
        end
        if (answer) begin
            bvalid <= 1;
            bresp <= owed_bad ? DECERR : OKAY;
        end
        opened <= opened + (awvalid && awready) - close;
        owed <= owed + close - answer;
        if (rst) begin
            bvalid <= 0; opened <= 0; owed <= 0; first <= 0; next <= 0; bad <= 0;
        end
    end
endmodule
